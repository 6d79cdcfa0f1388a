/* The API over Kafka: a command is produced to its topic, and its outcome, the SUCCESS or FAIL
 * event with its tenantId and commandId, is read from webhook-results. Reading starts before the
 * first command is produced, so that no outcome is missed. */
#pragma once

#include "avro/codec.h"
#include "base/config.h"
#include "kafka/producer.h"
#include "kafka/reader.h"
#include "rdkafka/topic_names.h"

struct command_client;

struct command_client_options {
	enum topic topic;     /* that is sent to: TOPIC_ADMIN, TOPIC_ISSUANCE or TOPIC_EVENTS */
	bool awaits_outcomes; /* false: command_client_await is never called */
	int64_t timeout_ms;
	int64_t open_ms; /* of its producer; 0: as long */
};

/* `codec` is borrowed. */
enum admin_status command_client_open(const struct config *config, struct codec *codec,
				      const struct command_client_options *options,
				      struct command_client **out) _must_check_;
void command_client_close(struct command_client *client);
DEFINE_CLEANUP(struct command_client, command_client_close)

/* Queues a command. ADMIN_REFUSED: it is larger than command.max.bytes; nothing was sent or
 * printed. */
enum admin_status command_client_send_command(struct command_client *client,
					      const struct command *command) _must_check_;
enum admin_status command_client_send_issuance(struct command_client *client,
					       const struct issuance *issuance) _must_check_;
enum admin_status command_client_send_event(struct command_client *client,
					    const struct event_command *event) _must_check_;
/* Waits until the brokers have all queued commands. */
enum admin_status command_client_flush(struct command_client *client) _must_check_;
const struct producer *command_client_producer(const struct command_client *client);

/* Whether the brokers refuse its commands (producer_is_refused). */
bool command_client_is_refused(struct command_client *client);

/* Returns the next outcome of any command, of `tenant_id` only unless that is NULL. It lives until
 * the next call. READER_NOTHING: none came in `wait_ms`. */
enum reader_event command_client_next_outcome(struct command_client *client, const char *tenant_id,
					      int wait_ms, struct analytic_event *out) _must_check_;
enum admin_status command_client_status(const struct command_client *client);
/* Prints that no outcome came in time. */
enum admin_status command_client_complain_timeout(const struct command_client *client,
						  const char *what);

/* Sends one command and waits for its outcome until the timeout. */
enum admin_status command_client_call(struct command_client *client, struct arena *arena,
				      const struct command *command,
				      struct analytic_event *out) _must_check_;
/* Waits until the timeout for the outcome of a sent command. */
enum admin_status command_client_await(struct command_client *client, struct arena *arena,
				       const struct command_envelope *envelope,
				       struct analytic_event *out) _must_check_;
