/* What a reader reads, and from where on. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum reader_start {
	READER_FROM_BEGINNING,
	READER_FROM_END,
	READER_FROM_TIME,
	READER_RESUMED, /* from where `resume` says; fails where the topic loses what comes next */
};

/* A partition, as it is when the reader is opened. */
struct reader_extent {
	const char *cluster_id;
	int32_t partition;
	int64_t begin, end;
};

/* Returns the offset to read the partition from, between its begin and its end, or a negative errno
 * after logging. */
typedef int64_t (*reader_resume_fn)(void *userdata, const struct reader_extent *extent);

struct reader_options {
	const char *topic;
	const char *key; /* only the partition of this key; NULL: all */
	enum reader_start start;
	int64_t since_ms; /* for READER_FROM_TIME: reading starts with the first record of this time
			     or later */
	reader_resume_fn resume; /* called while it is opened */
	void *resume_userdata;
	int64_t timeout_ms; /* for finding the partitions and their ends */
	bool prints; /* records are printed as they come, so that no progress bar may be drawn on
			the same terminal */
};
