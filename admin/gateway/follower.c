#include "gateway/follower.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "rdkafka/read_probe.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

enum { PAUSE_MIN_MS = 250, PAUSE_MAX_MS = 10 * 1000 };

struct follower {
	const struct config *config; /* borrowed */
	struct follower_options options;
	struct reader *reader;
	char *name; /* of the topic */
	pthread_t thread;
	/* Of that thread: */
	struct backoff backoff;  /* of reading */
	struct read_probe probe; /* whether it may */
	bool started;
	atomic_bool stopping, caught_up, failing, login_refused, unanswered;
};

static void read_one(struct follower *follower) {
	struct record record;
	enum reader_event event = reader_next(follower->reader, FOLLOWER_TICK_MS, &record);

	if (event == READER_FAILED) {
		if (!atomic_exchange(&follower->failing, true))
			log_warn("topic cannot be read", "topic=%s", follower->name);
		read_probe_refuse(&follower->probe);
		backoff_fail(&follower->backoff, clock_monotonic_ms(), PAUSE_MIN_MS, PAUSE_MAX_MS);
	} else if (event == READER_RECORD) {
		atomic_store(&follower->failing, false);
		backoff_clear(&follower->backoff);
		follower->options.on_record(follower->options.userdata, &record);
	}
}

/* The end that a partition had at the start may be reached long before another's: what comes behind
 * it meanwhile is told as well. */
static void note_end(struct follower *follower) {
	if (atomic_load(&follower->caught_up) || !reader_is_at_end(follower->reader))
		return;
	log_info("topic read", "topic=%s", follower->name);
	atomic_store(&follower->caught_up, true);
}

/* A reader is told once that it may not read, and never that it may again. */
static void ask_again(struct follower *follower) {
	if (!atomic_load(&follower->failing))
		read_probe_stop(&follower->probe);
	else if (!read_probe_ask(&follower->probe, follower->config, follower->name))
		atomic_store(&follower->failing, false);
}

static void take_record(struct follower *follower) {
	if (backoff_is_over(&follower->backoff, clock_monotonic_ms()))
		read_one(follower);
	else
		poll(NULL, 0, FOLLOWER_TICK_MS);
	note_end(follower);
	ask_again(follower);
	atomic_store(&follower->login_refused, reader_login_is_refused(follower->reader));
	atomic_store(&follower->unanswered, !atomic_load(&follower->login_refused) &&
						reader_is_unanswered(follower->reader));
	if (follower->options.on_tick)
		follower->options.on_tick(follower->options.userdata, follower_caught_up(follower));
}

static void *run_follower(void *userdata) {
	struct follower *follower = userdata;

	while (!atomic_load(&follower->stopping))
		take_record(follower);
	return NULL;
}

enum admin_status follower_start(const struct config *config,
				 const struct follower_options *options, struct follower **out) {
	_cleanup_(follower_stopp) struct follower *follower = x_calloc(1, sizeof(*follower));
	struct reader_options reader = { .start = options->start,
					 .resume = options->resume,
					 .resume_userdata = options->userdata,
					 .timeout_ms = options->timeout_ms };
	enum admin_status status;

	follower->config = config;
	follower->options = *options;
	follower->name = topic_name(config->topic_prefix, options->topic);
	reader.topic = follower->name;
	status = reader_open(config, &reader, &follower->reader);
	if (status)
		return status;
	if (options->start == READER_FROM_END)
		atomic_store(&follower->caught_up, true);
	if (pthread_create(&follower->thread, NULL, run_follower, follower)) {
		log_error("the system refuses a thread", "topic=%s", follower->name);
		return ADMIN_NO_OUTCOME;
	}
	follower->started = true;
	*out = TAKE(follower);
	return ADMIN_OK;
}

void follower_stop(struct follower *follower) {
	atomic_store(&follower->stopping, true);
	if (follower->started)
		pthread_join(follower->thread, NULL);
	if (follower->reader)
		reader_close(follower->reader);
	read_probe_stop(&follower->probe);
	free(follower->name);
	free(follower);
}

bool follower_caught_up(const struct follower *follower) {
	return atomic_load(&follower->caught_up);
}

bool follower_has_lost_its_place(const struct follower *follower) {
	return reader_has_lost_its_place(follower->reader);
}

bool follower_is_failing(const struct follower *follower) {
	return atomic_load(&follower->failing) || atomic_load(&follower->login_refused) ||
	       atomic_load(&follower->unanswered);
}
