/*
 * Reads a topic, read_committed and without a group: from its beginning or from its end; up to the end that it had when the
 * reader was opened, or onwards.
 */
#pragma once

#include "base/config.h"
#include "terminal/status.h"

#include <stdbool.h>
#include <stdint.h>

struct reader;

enum reader_start { READER_FROM_BEGINNING, READER_FROM_END };

struct reader_options {
	const char *topic;
	const char *key; /* only the partition that records of this key go to; NULL: all */
	enum reader_start start;
	int64_t timeout_ms; /* for finding the partitions and their ends */
};

/* When this returns ADMIN_OK with READER_FROM_END, every record that is produced from now on will be seen. */
enum admin_status reader_open(const struct config *config, const struct reader_options *options,
			      struct reader **out) _must_check_;
void reader_close(struct reader *reader);
DEFINE_CLEANUP(struct reader, reader_close)

/* Borrowed from the reader until its next call. */
struct record {
	const void *key; /* NULL without one */
	size_t key_len;
	const void *value; /* NULL: a tombstone */
	size_t len;
	int32_t partition;
	int64_t offset;
};

enum reader_event {
	READER_RECORD,
	READER_NOTHING, /* nothing came in `wait_ms` */
	READER_END,     /* reader_next_until_end: all that was there has been returned */
	READER_FAILED,  /* after saying why; reader_status tells how to exit */
};

/* The next record, also those past the end. */
enum reader_event reader_next(struct reader *reader, int wait_ms, struct record *out) _must_check_;
/* The next record of those that were there when the reader was opened. */
enum reader_event reader_next_until_end(struct reader *reader, int wait_ms, struct record *out) _must_check_;

/* The exit status after READER_FAILED. */
enum admin_status reader_status(const struct reader *reader);
/* Says that nothing came in `timeout_ms`, and returns ADMIN_NO_OUTCOME. */
enum admin_status reader_complain_timeout(const struct reader *reader, const char *what, int64_t timeout_ms);

/* For walks until the end: calls `fn` for each record. A status other than ADMIN_OK from `fn` ends the walk; so does a silence of
 * `timeout_ms`. */
typedef enum admin_status (*reader_fn)(void *userdata, const struct record *record);
enum admin_status reader_walk(struct reader *reader, int64_t timeout_ms, reader_fn fn, void *userdata) _must_check_;
