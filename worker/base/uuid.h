/* UUIDs as values. Source: RFC 9562. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct arena;

struct uuid {
	uint8_t bytes[16];
};

enum { UUID_TEXT_SIZE = 37 };

/* Parses exactly the 8-4-4-4-12 form, in either case. Returns 0, or -EINVAL. */
int uuid_parse(const char *text, struct uuid *out);

/* Formats in lower case. */
void uuid_format(const struct uuid *uuid, char out[UUID_TEXT_SIZE]);

static inline int uuid_compare(const struct uuid *a, const struct uuid *b) {
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* Turns 16 bytes of a hash into a UUID of version 8 (custom). Source: RFC 9562 section 5.8. */
struct uuid uuid_from_hash(const uint8_t hash[16]);

/* A random UUID, version 4. Not for `domain`. */
struct uuid uuid_random(void);
/* The same as text, in the arena. */
const char *uuid_random_text(struct arena *arena);
