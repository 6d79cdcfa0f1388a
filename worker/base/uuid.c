#include "base/uuid.h"

#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>

static bool is_dash_position(size_t i) {
	return i == 8 || i == 13 || i == 18 || i == 23;
}

static int hex_value(char c) {
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int uuid_parse(const char *text, struct uuid *out) {
	struct uuid uuid = { 0 };
	size_t digits = 0;

	if (strnlen(text, UUID_TEXT_SIZE) != UUID_TEXT_SIZE - 1)
		return -EINVAL;
	for (size_t i = 0; i < UUID_TEXT_SIZE - 1; i++) {
		int value;

		if (is_dash_position(i)) {
			if (text[i] != '-')
				return -EINVAL;
			continue;
		}
		value = hex_value(text[i]);
		if (value < 0)
			return -EINVAL;
		uuid.bytes[digits / 2] = (uint8_t)(uuid.bytes[digits / 2] << 4 | value);
		digits++;
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
