/*
 * A dead letter: a record that a worker could not process, as it lies on webhook-dead-letters. Its
 * headers are written by worker/pipeline/dead_letter.c.
 */
#pragma once

#include "avro/codec.h"
#include "command/command.h"
#include "kafka/reader.h"
#include "kafka/topics.h"

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

/* What is chosen of them by the flags. */
struct dead_letter_filter {
	const char *tenant_id; /* the key, or what the command names; NULL: any */
	const char *reason;    /* a part of it; NULL: any */
	const char *topic;     /* of the original; NULL: any */
	bool has_since;
	int64_t since_ms;                 /* of the letter */
	struct dead_letter_place *places; /* owned; NULL: any */
	size_t place_count;
};

struct dead_letter_place {
	int32_t partition;
	int64_t offset;
	bool seen;
};

/* Rows for the tables of commands that choose letters. */
#define DEAD_LETTER_FILTER_FLAGS                                                                   \
	{ "at", "PARTITION:OFFSET",                                                                \
	  "only this one, by where it lies on webhook-dead-letters; a comma between several" },    \
	    { "reason", "TEXT", "only those whose reason contains this" },                         \
	    { "topic", "webhook-admin|credential-issuance",                                        \
	      "only those that came from this topic" },                                            \
	    { "since", "TIME",                                                                     \
	      "only those set aside at this time or later: 2026-01-31T12:00:00.000Z, or back "     \
	      "from now: 2h" }

/* From the flags; the filter borrows their text. Also where this fails the filter is to be
 * destroyed. */
enum admin_status dead_letter_filter_read(const struct invocation *invocation,
					  struct dead_letter_filter *out) _must_check_;
void dead_letter_filter_destroy(struct dead_letter_filter *filter);
/* Marks the place as seen where it was asked for. */
bool dead_letter_filter_wants(struct dead_letter_filter *filter, const struct dead_letter *letter);
/* Says which of the places hold no letter; ADMIN_REFUSED where there is one. */
enum admin_status dead_letter_filter_complain_unseen(const struct dead_letter_filter *filter);

typedef enum admin_status (*dead_letter_fn)(void *userdata, const struct dead_letter *letter);
struct dead_letter_walk {
	struct dead_letter_filter *filter;
	struct codec *codec;
	struct arena *arena; /* emptied before each letter */
	dead_letter_fn fn;   /* called for each that the filter wants */
	void *userdata;
};

/* Every letter that is there now, in the order of each partition. */
enum admin_status dead_letter_walk(const struct invocation *invocation,
				   const struct dead_letter_walk *walk) _must_check_;
