/*
 * Dead letters: records that cannot be processed, as they came, with the reason in their headers.
 *
 * The last resort must always fit: a record that no letter can be written of would stop its
 * partition for ever. So a letter keeps at most so many bytes of the original, and each time that
 * its topic refuses one, fewer; with none of them it is a few hundred bytes. First the value is
 * cut, then the headers are left out, then the key is cut, and the letter says so:
 *
 *     posthorn.error.reason, .topic, .partition, .offset, .timestamp    in every letter
 *     posthorn.error.truncated          bytes that the value had
 *     posthorn.error.truncated.key      bytes that the key had
 *     posthorn.error.dropped.headers    how many headers there were
 */
#pragma once

#include "rdkafka/transaction.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes of the original, or what is kept of them. */
struct letter_size {
	size_t key, value;
	size_t headers; /* names and values; all of them or none */
};

/* What is kept of `whole` where `max` bytes of it may be. */
struct letter_size letter_fit(const struct letter_size *whole, size_t max);

/* How many bytes of the original a letter keeps. */
struct letter_limit {
	size_t bytes;
	bool is_refused;  /* none that has nothing of it is taken either */
	int64_t until_ms; /* monotonic: then it is the largest again, for the topic may have been
			     mended */
};

/* What a topic takes that `topics create` makes: 10 MiB in all, not compressed. */
enum { LETTER_MAX = 8 * 1024 * 1024 };

struct letter_limit letter_limit_new(void);
/* The topic refused one that kept so many. */
void letter_limit_refused(struct letter_limit *limit, int64_t now_ms);
/* The largest again, when its time has come. */
void letter_limit_renew(struct letter_limit *limit, int64_t now_ms);
/* Whether the topic is known to take less than usual. Brokers refuse a batch as a whole: then a
 * turn has one letter. */
bool letter_limit_is_low(const struct letter_limit *limit);

/*
 * Writes the letter, or, where its topic takes none at all, only logs where the record lies.
 * Returns 0 or what transaction_produce returned.
 */
int dead_letter_write(struct transaction *transaction, const rd_kafka_message_t *message,
		      const char *reason, const struct letter_limit *limit) _must_check_;
