/*
 * Reads a topic, read_committed and without a group: from its beginning, from a time, or from its
 * end; up to the end that it had when the reader was opened, or onwards.
 */
#pragma once

#include "base/config.h"
#include "kafka/header.h"
#include "terminal/status.h"

#include <stdbool.h>
#include <stdint.h>

struct reader;

enum reader_start { READER_FROM_BEGINNING, READER_FROM_END, READER_FROM_TIME };

struct reader_options {
	const char *topic;
	const char *key; /* only the partition that records of this key go to; NULL: all */
	enum reader_start start;
	int64_t since_ms;   /* READER_FROM_TIME: no record of a partition before the first one as
			       young as this */
	int64_t timeout_ms; /* for finding the partitions and their ends */
	bool prints; /* records are shown as they come: a progress bar must not get between them on
			the same terminal */
};

/* When this returns ADMIN_OK with READER_FROM_END, every record that is produced from now on will
 * be seen. */
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
	int64_t timestamp_ms;               /* wall clock, as the topic has it; -1 without one */
	struct rd_kafka_message_s *message; /* for record_header_at */
};

/* The header at `index`, counted from 0 in the record's order. Returns false past the last. */
bool record_header_at(const struct record *record, size_t index, struct record_header *out);
/* The last header of that name, as Kafka's clients do. Returns false where there is none. */
bool record_header_get(const struct record *record, const char *name, struct record_header *out);

enum reader_event {
	READER_RECORD,
	READER_NOTHING, /* nothing came in `wait_ms` */
	READER_END,     /* reader_next_until_end: all that was there has been returned */
	READER_FAILED,  /* after saying why; reader_status tells how to exit */
};

/* Whether the brokers refuse the reader's login now, which is logged once. Of the thread that
 * reads. */
bool reader_login_is_refused(struct reader *reader);

/* The next record, also those past the end. */
enum reader_event reader_next(struct reader *reader, int wait_ms, struct record *out) _must_check_;
/* Whether everything that was there when the reader was opened has been returned. */
bool reader_is_at_end(const struct reader *reader);
/* The next record of those that were there when the reader was opened. */
enum reader_event reader_next_until_end(struct reader *reader, int wait_ms,
					struct record *out) _must_check_;

/* The exit status after READER_FAILED. */
enum admin_status reader_status(const struct reader *reader);
/* Says that nothing came in `timeout_ms`, and returns ADMIN_NO_OUTCOME. */
enum admin_status reader_complain_timeout(const struct reader *reader, const char *what,
					  int64_t timeout_ms);

/* For walks until the end: calls `fn` for each record, with a progress bar where it takes long. A
 * status other than ADMIN_OK from `fn` ends the walk; so does a silence of `timeout_ms`. */
typedef enum admin_status (*reader_fn)(void *userdata, const struct record *record);
enum admin_status reader_walk(struct reader *reader, int64_t timeout_ms, reader_fn fn,
			      void *userdata) _must_check_;
