#include "base/network.h"

#include "base/memory.h"

#include <arpa/inet.h>
#include <errno.h>

enum { IPV4_PREFIX_BITS = 96 };

static int parse_address(const char *text, struct network *out) {
	struct in_addr ipv4;

	if (inet_pton(AF_INET6, text, &out->address) == 1) {
		out->prefix_bits = 0;
		return 0;
	}
	if (inet_pton(AF_INET, text, &ipv4) != 1)
		return -EINVAL;
	out->address = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
	memcpy(&out->address.s6_addr[12], &ipv4, sizeof(ipv4));
	out->prefix_bits = IPV4_PREFIX_BITS;
	return 0;
}

/* Whether the first `bits` bits of both are equal. */
static bool same_prefix(const struct in6_addr *a, const struct in6_addr *b, unsigned bits) {
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a->s6_addr, b->s6_addr, whole) != 0)
		return false;
	return !rest || (a->s6_addr[whole] ^ b->s6_addr[whole]) >> (8 - rest) == 0;
}

static bool has_bits_past(const struct in6_addr *address, unsigned bits) {
	for (unsigned bit = bits; bit < 128; bit++) {
		if (address->s6_addr[bit / 8] & 0x80 >> bit % 8)
			return true;
	}
	return false;
}

/* 1 to 3 digits; `max` is 32 or 128. */
static int parse_prefix_length(const char *text, unsigned max, unsigned *out) {
	unsigned value = 0, digits = 0;

	for (; *text >= '0' && *text <= '9' && digits < 3; text++, digits++)
		value = value * 10 + (unsigned)(*text - '0');
	if (*text || !digits || value > max)
		return -EINVAL;
	*out = value;
	return 0;
}

int network_parse(const char *text, struct network *out) {
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchrnul(text, '/');
	size_t len = (size_t)(slash - text);
	unsigned bits;

	if (len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (parse_address(address, out) < 0)
		return -EINVAL;
	bits = 128U - out->prefix_bits;
	if (*slash && parse_prefix_length(slash + 1, bits, &bits) < 0)
		return -EINVAL;
	out->prefix_bits = (uint8_t)(out->prefix_bits + bits);
	return has_bits_past(&out->address, out->prefix_bits) ? -EDOM : 0;
}

bool network_list_contains(const struct network_list *list, const struct in6_addr *address) {
	bool ipv4 = IN6_IS_ADDR_V4MAPPED(address);

	for (size_t i = 0; i < list->count; i++) {
		const struct network *network = &list->items[i];

		if (ipv4 && network->prefix_bits < IPV4_PREFIX_BITS)
			continue;
		if (same_prefix(&network->address, address, network->prefix_bits))
			return true;
	}
	return false;
}
