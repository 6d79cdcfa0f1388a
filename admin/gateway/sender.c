#include "gateway/sender.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "kafka/command_client.h"
#include "kafka/record_codec.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
	PAUSE_MIN_MS = 250,
	PAUSE_MAX_MS = 30 * 1000,
	PAUSE_REFUSED_MAX_MS = 5 * 1000,
	HEALED_AFTER_MS = 60 * 1000,
	/* The thread that mends also heeds signals, and tells the service manager that it lives. */
	OPEN_MS = 5 * 1000,
	/* A new producer asks at once for an id, which needs the right to write a topic. Source:
	   Kafka, KIP-679. */
	ADMITTED_AFTER_MS = 2000,
};

struct sender {
	const struct config *config;
	enum topic topic;
	int64_t timeout_ms;
	pthread_mutex_t lock; /* guards the members below: a codec serves one thread at a time */
	struct codec *codec;
	struct command_client *client;
	bool failed;
	struct backoff backoff; /* used only by sender_mend, on its thread, as is: */
	int64_t opened_at_ms;   /* monotonic: the client */
	atomic_bool refused;
};

static enum admin_status open_client(const struct sender *sender, struct command_client **out) {
	const struct command_client_options options = { .topic = sender->topic,
							.timeout_ms = sender->timeout_ms,
							.open_ms = MIN(sender->timeout_ms,
								       (int64_t)OPEN_MS) };

	return command_client_open(sender->config, sender->codec, &options, out);
}

enum admin_status sender_open(const struct config *config, enum topic topic, int64_t timeout_ms,
			      struct sender **out) {
	_cleanup_(sender_closep) struct sender *sender = x_calloc(1, sizeof(*sender));
	enum admin_status status;

	sender->config = config;
	sender->topic = topic;
	sender->timeout_ms = timeout_ms;
	pthread_mutex_init(&sender->lock, NULL);
	sender->codec = record_codec_new(config);
	if (!sender->codec)
		return ADMIN_USAGE;
	status = open_client(sender, &sender->client);
	if (!status)
		*out = TAKE(sender);
	return status;
}

void sender_close(struct sender *sender) {
	if (sender->client)
		command_client_close(sender->client);
	codec_freep(&sender->codec);
	pthread_mutex_destroy(&sender->lock);
	free(sender);
}

static int end_send(struct sender *sender, enum admin_status status) {
	if (status && status != ADMIN_REFUSED)
		sender->failed = true;
	pthread_mutex_unlock(&sender->lock);
	return status == ADMIN_REFUSED ? SENDER_E_TOO_LARGE : status ? SENDER_E_FAILED : 0;
}

int sender_send(struct sender *sender, const struct command *command) {
	pthread_mutex_lock(&sender->lock);
	return end_send(sender, command_client_send_command(sender->client, command));
}

int sender_send_event(struct sender *sender, const struct event_command *event) {
	pthread_mutex_lock(&sender->lock);
	return end_send(sender, command_client_send_event(sender->client, event));
}

static bool has_failed(struct sender *sender) {
	bool failed;

	pthread_mutex_lock(&sender->lock);
	failed = sender->failed;
	pthread_mutex_unlock(&sender->lock);
	return failed;
}

static bool ask_refused(struct sender *sender) {
	bool refused;

	pthread_mutex_lock(&sender->lock);
	refused = command_client_is_refused(sender->client);
	sender->failed |= refused;
	pthread_mutex_unlock(&sender->lock);
	return refused;
}

static void watch_refusal(struct sender *sender, int64_t now_ms) {
	if (ask_refused(sender))
		atomic_store(&sender->refused, true);
	else if (now_ms - sender->opened_at_ms > ADMITTED_AFTER_MS && !has_failed(sender))
		atomic_store(&sender->refused, false);
}

bool sender_is_refused(struct sender *sender) {
	return atomic_load(&sender->refused);
}

/* Opens the client without the lock: that waits for brokers, and requests would wait with it. */
void sender_mend(struct sender *sender) {
	struct command_client *client = NULL, *old;
	int64_t now_ms = clock_monotonic_ms();
	bool is_refused;

	watch_refusal(sender, now_ms);
	if (!has_failed(sender) || !backoff_is_over(&sender->backoff, now_ms))
		return;
	if (now_ms > sender->backoff.until_ms + HEALED_AFTER_MS)
		backoff_clear(&sender->backoff);
	is_refused = atomic_load(&sender->refused);
	backoff_fail(&sender->backoff, now_ms, PAUSE_MIN_MS,
		     is_refused ? PAUSE_REFUSED_MAX_MS : PAUSE_MAX_MS);
	if (open_client(sender, &client))
		return;
	pthread_mutex_lock(&sender->lock);
	old = sender->client;
	sender->client = client;
	sender->failed = false;
	pthread_mutex_unlock(&sender->lock);
	sender->opened_at_ms = clock_monotonic_ms();
	if (!is_refused)
		log_warn("a new producer", "reason=%s", log_quote("the old one failed"));
	command_client_close(old);
}
