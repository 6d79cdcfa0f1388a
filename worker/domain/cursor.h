/*
 * The cursor of a list: a place in the order (createdAt, id), not a secret and not tied to an item
 * that still exists. Text: base64url without padding of `createdAt=<ISO-8601 ms,
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

/* Takes colons escaped or not. Returns 0, or CURSOR_E_REFUSED (also for the empty text). */
int cursor_parse(const char *text, struct cursor *out) __attribute__((warn_unused_result));
