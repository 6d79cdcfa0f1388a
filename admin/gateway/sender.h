/* Sends commands, from any thread. */
#pragma once

#include "base/config.h"
#include "domain/command.h"
#include "rdkafka/topic_names.h"
#include "terminal/status.h"

struct sender;

/* Sends to the topic: TOPIC_ADMIN or TOPIC_EVENTS. A command that no broker has acknowledged in
 * `timeout_ms` is given up. */
enum admin_status sender_open(const struct config *config, enum topic topic, int64_t timeout_ms,
			      struct sender **out) _must_check_;
void sender_close(struct sender *sender);
DEFINE_CLEANUP(struct sender, sender_close)

/* SENDER_E_FAILED: it was not sent, for a reason other than its content. */
enum { SENDER_E_TOO_LARGE = 1, SENDER_E_FAILED = 2 };

/* Queues a command, without waiting for a broker. */
int sender_send(struct sender *sender, const struct command *command) _must_check_;
int sender_send_event(struct sender *sender, const struct event_command *event) _must_check_;
/* Whether the brokers take no command for want of a right. Any thread. */
bool sender_is_refused(struct sender *sender);
/* Replaces a producer that has failed for good, or that was refused: another try. Call it a few
 * times a second, on one thread. */
void sender_mend(struct sender *sender);
