/* A thread that reads a topic to its end, then follows it. */
#pragma once

#include "kafka/reader.h"
#include "rdkafka/topic_names.h"

struct follower;

struct follower_options {
	enum topic topic;
	enum reader_start start;
	reader_resume_fn resume; /* for READER_RESUMED; called on the thread that starts it */
	int64_t timeout_ms;      /* for finding the topic */
	void (*on_record)(void *userdata, const struct record *record);
	/* Called after each record, and at least every FOLLOWER_TICK_MS; NULL: none. `caught_up`:
	 * the end at the start has been reached. */
	void (*on_tick)(void *userdata, bool caught_up);
	void *userdata; /* both are called on the thread */
};

enum { FOLLOWER_TICK_MS = 50 };

/* With READER_FROM_END, every record that is produced after the return will be read. */
enum admin_status follower_start(const struct config *config,
				 const struct follower_options *options,
				 struct follower **out) _must_check_;
void follower_stop(struct follower *follower);
DEFINE_CLEANUP(struct follower, follower_stop)

/* Whether the end at the start has been reached. */
bool follower_caught_up(const struct follower *follower);
/* Whether it is READER_RESUMED, and reads no more: it is to be started again. */
bool follower_has_lost_its_place(const struct follower *follower);
/* Whether the last read failed, the login is refused, or no broker answers; reading is retried. */
bool follower_is_failing(const struct follower *follower);
