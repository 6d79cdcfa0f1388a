#include "base/uuid.h"

#include "base/arena.h"

#include <errno.h>
#include <sodium.h>

static bool is_dash_position(size_t i) {
	return i == 8 || i == 13 || i == 18 || i == 23;
}

/* A digit's value + 1; 0 for every other byte. */
static const uint8_t hex_values[256] = {
	['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int uuid_parse(const char *text, struct uuid *out) {
	struct uuid uuid;

	if (strnlen(text, UUID_TEXT_SIZE) != UUID_TEXT_SIZE - 1)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(uuid.bytes); i++) {
		uint8_t high, low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return -EINVAL;
		high = hex_values[(uint8_t)*text++];
		low = hex_values[(uint8_t)*text++];
		if (!high || !low)
			return -EINVAL;
		uuid.bytes[i] = (uint8_t)((high - 1) << 4 | (low - 1));
	}
	*out = uuid;
	return 0;
}

void uuid_format(const struct uuid *uuid, char out[UUID_TEXT_SIZE]) {
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;

	for (size_t i = 0; i < sizeof(uuid->bytes); i++) {
		if (is_dash_position(at))
			out[at++] = '-';
		out[at++] = digits[uuid->bytes[i] >> 4];
		out[at++] = digits[uuid->bytes[i] & 15];
	}
	out[at] = '\0';
}

static struct uuid with_version(struct uuid uuid, uint8_t version) {
	uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | version << 4);
	uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80);
	return uuid;
}

struct uuid uuid_from_hash(const uint8_t hash[16]) {
	struct uuid uuid;

	memcpy(uuid.bytes, hash, sizeof(uuid.bytes));
	return with_version(uuid, 8);
}

struct uuid uuid_random(void) {
	struct uuid uuid;

	randombytes_buf(uuid.bytes, sizeof(uuid.bytes));
	return with_version(uuid, 4);
}

const char *uuid_random_text(struct arena *arena) {
	struct uuid id = uuid_random();
	char *text = arena_alloc(arena, UUID_TEXT_SIZE);

	uuid_format(&id, text);
	return text;
}
