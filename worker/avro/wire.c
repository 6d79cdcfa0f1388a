#include "avro/wire.h"

enum { VARINT_MAX_SIZE = 10 };

int64_t wire_read_long(struct wire *wire) {
	uint64_t value = 0;

	for (unsigned i = 0; i < VARINT_MAX_SIZE; i++) {
		uint8_t byte;

		if (wire->at == wire->end)
			return wire_fail(wire, "it ends inside a number");
		byte = *wire->at++;
		if (i == VARINT_MAX_SIZE - 1 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80)
			return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
	}
	return wire_fail(wire, "a number is longer than 64 bits");
}

int32_t wire_read_int(struct wire *wire) {
	int64_t value = wire_read_long(wire);

	if (value < INT32_MIN || value > INT32_MAX)
		return (int32_t)wire_fail(wire, "an int is longer than 32 bits");
	return (int32_t)value;
}

bool wire_read_boolean(struct wire *wire) {
	const uint8_t *byte = wire_read_raw(wire, 1);

	if (byte && *byte > 1)
		return wire_fail(wire, "a boolean is neither 0 nor 1");
	return byte && *byte;
}

const void *wire_read_raw(struct wire *wire, size_t len) {
	const void *bytes = wire->at;

	if (len > wire_left(wire)) {
		wire_fail(wire, "a length goes past its end");
		return NULL;
	}
	wire->at += len;
	return bytes;
}

const void *wire_read_bytes(struct wire *wire, size_t *len) {
	int64_t value = wire_read_long(wire);

	*len = 0;
	if (wire->error)
		return NULL;
	if (value < 0) {
		wire_fail(wire, "a length is negative");
		return NULL;
	}
	if ((uint64_t)value > wire_left(wire)) {
		wire_fail(wire, "a length goes past its end");
		return NULL;
	}
	*len = (size_t)value;
	return wire_read_raw(wire, *len);
}

size_t wire_read_block(struct wire *wire, int64_t *size) {
	int64_t count = wire_read_long(wire);

	*size = -1;
	if (count < 0) {
		if (count == INT64_MIN)
			return (size_t)wire_fail(wire, "a count has no positive form");
		count = -count;
		*size = wire_read_long(wire);
		if (*size < 0 || (uint64_t)*size > wire_left(wire))
			return (size_t)wire_fail(wire, "a block goes past its end");
	}
	/* Most elements take a byte or more. Of those that take none (null), no more are
	 * accepted than bytes are left. */
	if ((uint64_t)count > wire_left(wire))
		return (size_t)wire_fail(wire, "a count claims more elements than bytes are left");
	return (size_t)count;
}

void wire_write_long(struct buffer *out, int64_t value) {
	uint64_t zigzag = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
	uint8_t bytes[VARINT_MAX_SIZE];
	size_t len = 0;

	for (; zigzag >= 0x80; zigzag >>= 7)
		bytes[len++] = (uint8_t)(zigzag | 0x80);
	bytes[len++] = (uint8_t)zigzag;
	buffer_append(out, bytes, len);
}

void wire_write_boolean(struct buffer *out, bool value) {
	buffer_append_char(out, value);
}

void wire_write_bytes(struct buffer *out, const void *bytes, size_t len) {
	wire_write_long(out, (int64_t)len);
	buffer_append(out, bytes, len);
}
