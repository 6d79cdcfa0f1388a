/*
 * A dead letter: a record that a worker could not process, as it lies on webhook-dead-letters. Its
 * headers are written by worker/pipeline/dead_letter.c.
 */
#pragma once

#include "avro/codec.h"
#include "kafka/reader.h"
#include "rdkafka/topic_names.h"

/* Text lives in the arena; `record` is borrowed. */
struct dead_letter {
	const struct record *record; /* the letter itself: key and value are the original's */
	const char *reason;          /* "" where the record has no such header */
	const char *topic;           /* where the original lies; "" likewise */
	int32_t partition;
	int64_t offset, timestamp_ms; /* the original's; -1 where unknown */
	int64_t
	    whole_len; /* bytes of the original's value, of which a part may be all that there is */
	int64_t whole_key_len;   /* likewise of its key */
	int64_t dropped_headers; /* how many of the original's are not there */
	bool is_input;           /* `topic` is one of the two that commands come in on */
	enum topic input;
	const char *tenant_id; /* that the command names; NULL: it cannot be decoded */
	bool was_replayed;     /* the original was a replay: of this letter */
	int32_t replay_partition;
	int64_t replay_offset;
};

void dead_letter_read(const struct config *config, struct codec *codec, struct arena *arena,
		      const struct record *record, struct dead_letter *out);
/* Whether anything of the original is missing, since the letter's topic did not take it. */
bool dead_letter_is_cut(const struct dead_letter *letter);
/* What is missing, for people: "8 of 20 bytes of its value, 5 of 9 bytes of its key, 3 headers
 * dropped". "" where nothing is. In the arena. */
const char *dead_letter_missing(struct arena *arena, const struct dead_letter *letter);

/* The value's or the key's first bytes for people: what is not printable ASCII is a dot. In the
 * arena. */
const char *dead_letter_preview(struct arena *arena, const void *bytes, size_t len, size_t max);
/* The key's first KiB, which no tenantId exceeds: itself where it is text, else its preview; NULL
 * without one. In the arena. */
const char *dead_letter_key(struct arena *arena, const struct dead_letter *letter);
