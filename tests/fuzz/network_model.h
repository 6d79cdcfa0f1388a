/*
 * Networks once more, otherwise than worker/base/network.c has them: an address is one number of
 * 128 bits, and lies in a block where the two are the same after a shift.
 */
#pragma once

#include "base/network.h"

#include <arpa/inet.h>
#include <errno.h>

typedef unsigned __int128 model_address;

struct model_network {
	model_address number;
	unsigned bits;
};

static inline model_address model_number(const uint8_t bytes[16]) {
	model_address number = 0;

	for (size_t i = 0; i < 16; i++)
		number = number << 8 | bytes[i];
	return number;
}

#define MODEL_IPV4 ((model_address)0xffff << 32)

/* Whether the `bits` first bits are the same. A shift by all 128 is none that C knows. */
static inline bool model_is_same(model_address a, model_address b, unsigned bits) {
	return bits == 0 || (a ^ b) >> (128 - bits) == 0;
}

/* As network_parse: 0, -EINVAL or -EDOM. */
static inline int model_parse(const char *text, struct model_network *out) {
	_cleanup_(x_freep) char *address = x_strdup(text);
	char *slash = strchr(address, '/');
	unsigned longest;
	struct in_addr ipv4;
	uint8_t bytes[16];

	if (slash)
		*slash = '\0';
	if (inet_pton(AF_INET, address, &ipv4) == 1) {
		out->number = MODEL_IPV4 | ntohl(ipv4.s_addr);
		longest = 32;
	} else if (inet_pton(AF_INET6, address, bytes) == 1) {
		out->number = model_number(bytes);
		longest = 128;
	} else {
		return -EINVAL;
	}
	out->bits = longest;
	if (slash) {
		size_t digits = strspn(slash + 1, "0123456789");

		if (!digits || digits > 3 || slash[1 + digits])
			return -EINVAL;
		out->bits = (unsigned)strtoul(slash + 1, NULL, 10);
		if (out->bits > longest)
			return -EINVAL;
	}
	out->bits += 128 - longest;
	return out->bits < 128 && out->number << out->bits ? -EDOM : 0;
}

static inline bool model_contains(const struct network_list *list, const struct in6_addr *address) {
	model_address number = model_number(address->s6_addr);

	for (size_t i = 0; i < list->count; i++) {
		const struct network *network = &list->items[i];

		/* IPv4 lies in IPv4's blocks alone. */
		if (model_is_same(number, MODEL_IPV4, 96) && network->prefix_bits < 96)
			continue;
		if (model_is_same(number, model_number(network->address.s6_addr),
				  network->prefix_bits))
			return true;
	}
	return false;
}
