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
	const char *topic;           /* of the original; "" where the record has no such header */
	int32_t partition;
	int64_t offset, timestamp_ms; /* the original's; -1 where unknown */
	int64_t whole_len; /* bytes of the original's value, of which the letter may have a part */
	int64_t whole_key_len;   /* the same for its key */
	int64_t dropped_headers; /* the number of the original's headers that the letter lacks */
	bool is_input;           /* `topic` is one of the input topics */
	enum topic input;
	const char *tenant_id; /* of the command; NULL: it cannot be decoded */
	bool was_replayed;     /* the original was a replay of the letter below */
	int32_t replay_partition;
	int64_t replay_offset;
};

void dead_letter_read(const struct config *config, struct codec *codec, struct arena *arena,
		      const struct record *record, struct dead_letter *out);
/* Whether a part of the original is missing, because it was too large for the letter's topic. */
bool dead_letter_is_cut(const struct dead_letter *letter);
/* Describes the kept parts: "8 of 20 bytes of its value, 5 of 9 bytes of its key, 3 headers
 * dropped"; "" for a whole letter. In the arena. */
const char *dead_letter_missing(struct arena *arena, const struct dead_letter *letter);

/* The first bytes of a value or a key as text, with a dot for each byte that is not printable
 * ASCII. In the arena. */
const char *dead_letter_preview(struct arena *arena, const void *bytes, size_t len, size_t max);
/* The first KiB of the key, which no tenantId exceeds: the text, or a preview where it is not text;
 * NULL: no key. In the arena. */
const char *dead_letter_key(struct arena *arena, const struct dead_letter *letter);
