/* A thread that reads a topic, and goes on with what comes. */
#pragma once

#include "kafka/reader.h"
#include "rdkafka/topic_names.h"

struct follower;

struct follower_options {
	enum topic topic;
	enum reader_start start;
	int64_t timeout_ms; /* for finding the topic */
	void (*on_record)(void *userdata, const struct record *record);
	/* After each record and at least every FOLLOWER_TICK_MS; NULL: nothing. */
	void (*on_tick)(void *userdata);
	void *userdata; /* both are called on the thread */
};

enum { FOLLOWER_TICK_MS = 50 };

/* With READER_FROM_END every record that is produced after this will be seen. */
enum admin_status follower_start(const struct config *config,
				 const struct follower_options *options,
				 struct follower **out) _must_check_;
void follower_stop(struct follower *follower);
DEFINE_CLEANUP(struct follower, follower_stop)

/* Whether all has been read that was there at the start. */
bool follower_caught_up(const struct follower *follower);
/* Whether reading failed the last time; it is tried again. */
bool follower_is_failing(const struct follower *follower);
