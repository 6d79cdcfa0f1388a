/*
 * Avro's binary encoding, value by value. Reading past the end, or malformed bytes, sets `error`
 * and gives zero from then on, so a reader checks once, where it matters. Source: Apache Avro 1.11
 * specification, "Binary Encoding".
 */
#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

struct wire {
	const uint8_t *at, *end;
	const char *error; /* static text, of the first fault */
};

static inline size_t wire_left(const struct wire *wire) {
	return (size_t)(wire->end - wire->at);
}

/* Sets the error and leaves nothing to read, so that every loop ends. Returns zero, so that a
 * reader can return it. */
static inline int64_t wire_fail(struct wire *wire, const char *error) {
	if (!wire->error)
		wire->error = error;
	wire->at = wire->end;
	return 0;
}

/* Reads a variable-length zig-zag number. */
int64_t wire_read_long(struct wire *wire);
int32_t wire_read_int(struct wire *wire);
bool wire_read_boolean(struct wire *wire);
/* Reads `len` bytes, which borrow from the record; NULL where fewer are left. */
const void *wire_read_raw(struct wire *wire, size_t len);
/* Reads a string or bytes behind their length. NULL after an error, never for an empty one. */
const void *wire_read_bytes(struct wire *wire, size_t *len);
/* Reads the head of a block of an array or map. Returns the number of its elements, 0 at the
 * end. `size` is their size in bytes, or -1 where it is not given. */
size_t wire_read_block(struct wire *wire, int64_t *size);

void wire_write_long(struct buffer *out, int64_t value);
void wire_write_boolean(struct buffer *out, bool value);
void wire_write_bytes(struct buffer *out, const void *bytes, size_t len);
