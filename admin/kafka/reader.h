/* Reads a topic, read_committed and without a group: from its beginning, from a time, or from its
 * end; to its end at the time of opening, or onwards. */
#pragma once

#include "base/config.h"
#include "kafka/header.h"
#include "kafka/reader_options.h"
#include "terminal/status.h"

#include <stdbool.h>
#include <stdint.h>

struct reader;

/* With READER_FROM_END, every record that is produced after ADMIN_OK was returned will be read. */
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
	int64_t timestamp_ms;               /* wall clock, from the topic; -1: none */
	struct rd_kafka_message_s *message; /* for record_header_at */
};

/* The header at `index`, from 0. Returns false past the last one. */
bool record_header_at(const struct record *record, size_t index, struct record_header *out);
/* The last header of that name, as in Kafka's own clients. Returns false where there is none. */
bool record_header_get(const struct record *record, const char *name, struct record_header *out);

enum reader_event {
	READER_RECORD,
	READER_NOTHING, /* nothing came in `wait_ms` */
	READER_END,     /* only from reader_next_until_end: the end is reached */
	READER_FAILED,  /* after printing the reason; reader_status has the exit status */
};

/* Whether the brokers refuse the reader's login now; logs a refusal once. Call it on the thread
 * that reads. */
bool reader_login_is_refused(struct reader *reader);

/* Whether the topic has lost what a READER_RESUMED was to read next: it reads no more. Any thread.
 */
bool reader_has_lost_its_place(const struct reader *reader);

/* Whether no broker answers the reader; logs that once. */
bool reader_is_unanswered(const struct reader *reader);

/* The next record, also past the end. */
enum reader_event reader_next(struct reader *reader, int wait_ms, struct record *out) _must_check_;
/* Whether the end at the time of opening has been reached. */
bool reader_is_at_end(const struct reader *reader);
/* The next record before the end at the time of opening. Those behind it are passed over, so that
 * nothing can be read onwards from here but by reader_extend. */
enum reader_event reader_next_until_end(struct reader *reader, int wait_ms,
					struct record *out) _must_check_;

/* After READER_END: the ends are those of now, and reading goes on where it has ended. */
enum admin_status reader_extend(struct reader *reader, int64_t timeout_ms) _must_check_;

/* The exit status after READER_FAILED. */
enum admin_status reader_status(const struct reader *reader);
/* Prints that nothing came in `timeout_ms`. Returns ADMIN_NO_OUTCOME. */
enum admin_status reader_complain_timeout(const struct reader *reader, const char *what,
					  int64_t timeout_ms);

/* Calls `fn` for each record until the end, with a progress bar where that takes long. The walk
 * ends early when `fn` returns another status than ADMIN_OK, or when nothing comes for
 * `timeout_ms`. */
typedef enum admin_status (*reader_fn)(void *userdata, const struct record *record);
enum admin_status reader_walk(struct reader *reader, int64_t timeout_ms, reader_fn fn,
			      void *userdata) _must_check_;
