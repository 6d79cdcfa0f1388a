/* pipeline/membership.h as far as turns use it: what is read is what a test puts there. */
#pragma once

#include "pipeline/membership.h"

struct fake_membership {
	bool has_group;
	int32_t generation;
	rd_kafka_message_t *messages; /* oldest first, by _private */
	rd_kafka_message_t *held;     /* newest first, likewise */
	size_t taken, put_back;
};

extern struct fake_membership fake_membership;

/* Puts a record behind the others; copies the value. `topic` is a handle of any client. */
void fake_membership_add(rd_kafka_topic_t *topic, int32_t partition, int64_t offset,
			 const char *key, const void *value, size_t len);
/* Forgets what was not taken. */
void fake_membership_clear(void);
