/* A reader's places: where each partition is read from, and to. Inside `kafka` only. */
#pragma once

#include "kafka/handle.h"
#include "kafka/reader_options.h"

#include <stdatomic.h>

struct place {
	int64_t next; /* the offset to read next */
	int64_t end; /* the first offset past the end; with read_committed the last stable offset */
	bool reached;
};

struct reader {
	struct kafka_handle handle;
	char *topic, *group;
	int32_t partition_count;
	struct place *places; /* [partition_count] */
	int32_t unreached;
	int64_t total, done; /* offsets up to the ends, including those of transaction markers and
				of compacted records */
	uint64_t returned;   /* records */
	bool prints;
	atomic_bool has_lost_its_place;
	rd_kafka_message_t *message; /* the last record borrows from it */
	enum admin_status status;
};

/* Prints that the topic cannot be read. Returns the exit status. A reader belongs to no group, and
 * asks for the coordinator of one all the same. */
enum admin_status reader_complain(const struct reader *reader, rd_kafka_resp_err_t error);

/* Finds the places that the options ask for, and begins to read there. */
enum admin_status reader_assign(struct reader *reader,
				const struct reader_options *options) _must_check_;
/* Moves the ends to those of now, and reads on from those of before. */
enum admin_status reader_assign_further(struct reader *reader, int64_t timeout_ms) _must_check_;
