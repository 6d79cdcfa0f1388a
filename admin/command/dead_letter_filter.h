/* A choice of dead letters, by the flags of a command. */
#pragma once

#include "command/command.h"
#include "command/dead_letter.h"

struct dead_letter_filter {
	const char *tenant_id; /* the key, or the command's tenantId; NULL: any */
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

/* Reads the flags, whose text the filter borrows. Destroy the filter also where this fails. */
enum admin_status dead_letter_filter_read(const struct invocation *invocation,
					  struct dead_letter_filter *out) _must_check_;
void dead_letter_filter_destroy(struct dead_letter_filter *filter);
/* Whether the filter chooses the letter; notes the place as seen if --at names it. */
bool dead_letter_filter_wants(struct dead_letter_filter *filter, const struct dead_letter *letter);
/* Prints the places of --at that have no letter. Returns ADMIN_REFUSED if there is one. */
enum admin_status dead_letter_filter_complain_unseen(const struct dead_letter_filter *filter);
