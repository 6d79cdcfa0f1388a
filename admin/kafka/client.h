/*
 * The Kafka form of the API: a command goes out on its topic, and its outcome - the SUCCESS or FAIL
 * event that carries its tenantId and commandId - comes back on webhook-results. Reading starts
 * before the first command is produced, so none is missed.
 */
#pragma once

#include "avro/codec.h"
#include "base/config.h"
#include "kafka/producer.h"
#include "kafka/reader.h"

struct client;

struct client_options {
	bool issues;          /* credential-issuance, not webhook-admin */
	bool awaits_outcomes; /* false: client_await is never called */
	int64_t timeout_ms;
};

/* `codec` is borrowed. */
enum admin_status client_open(const struct config *config, struct codec *codec,
			      const struct client_options *options,
			      struct client **out) _must_check_;
void client_close(struct client *client);
DEFINE_CLEANUP(struct client, client_close)

/* Queue a command. ADMIN_REFUSED: it is larger than command.max.bytes; nothing was sent, and
 * nothing said. */
enum admin_status client_send_command(struct client *client,
				      const struct command *command) _must_check_;
enum admin_status client_send_issuance(struct client *client,
				       const struct issuance *issuance) _must_check_;
/* Waits until all that was queued is on the brokers. */
enum admin_status client_flush(struct client *client) _must_check_;
const struct producer *client_producer(const struct client *client);

/*
 * The next outcome of any command, of any tenant or of `tenant_id` only; it lives until the next
 * call. READER_NOTHING where none came in `wait_ms`.
 */
enum reader_event client_next_outcome(struct client *client, const char *tenant_id, int wait_ms,
				      struct analytic_event *out) _must_check_;
enum admin_status client_status(const struct client *client);
/* Says that outcomes did not come. */
enum admin_status client_complain_timeout(const struct client *client, const char *what);

/* Sends one command and waits for its outcome until the timeout. */
enum admin_status client_call(struct client *client, struct arena *arena,
			      const struct command *command,
			      struct analytic_event *out) _must_check_;
/* Waits until the timeout for the outcome of a command that was sent. */
enum admin_status client_await(struct client *client, struct arena *arena,
			       const struct command_envelope *envelope,
			       struct analytic_event *out) _must_check_;
