/*
 * A list's cursor: a position in the order (createdAt, id). It is no secret, and stays valid after
 * its item is deleted. Text: base64url without padding of `createdAt=<ISO-8601 ms,
 * percent-encoded>&id=<uuid>`.
 */
#pragma once

#include "base/arena.h"
#include "base/uuid.h"

struct cursor {
	int64_t created_at_ms; /* wall */
	struct uuid id;
};

enum { CURSOR_E_REFUSED = 1 };

char *cursor_format(struct arena *arena, const struct cursor *cursor);

/* Accepts colons escaped or not. Returns 0, or CURSOR_E_REFUSED (also for the empty text). */
int cursor_parse(const char *text, struct cursor *out) _must_check_;
