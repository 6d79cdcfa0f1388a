#include "delivery/address_guard.h"

#include <string.h>

struct special_block {
	uint8_t prefix[16];
	uint8_t prefix_bits;
	const char *name;
};

/*
 * Sources: IANA IPv4 Special-Purpose Address Registry (RFC 6890 and the documents named at each
 * row), IANA IPv4 Multicast Address Space Registry. Blocks for routing itself are refused as well,
 * although the registry calls them globally reachable.
 */
static const struct special_block ipv4_blocks[] = {
	{ { 0 }, 8, "this-network" }, /* RFC 791 section 3.2 */
	{ { 10 }, 8, "private" },     /* RFC 1918 */
	{ { 100, 64 },
	  10,
	  "carrier-grade-nat" },    /* RFC 6598; metadata of one cloud is 100.100.100.200 */
	{ { 127 }, 8, "loopback" }, /* RFC 1122 section 3.2.1.3 */
	{ { 168, 63, 129, 16 },
	  32,
	  "metadata" }, /* a public address that one cloud's hosts answer from within */
	{ { 169, 254 }, 16, "link-local" }, /* RFC 3927; the clouds' metadata is 169.254.169.254 */
	{ { 172, 16 }, 12, "private" },     /* RFC 1918 */
	{ { 192, 0, 0 },
	  24,
	  "protocol-assignment" }, /* RFC 6890 section 2.1; metadata of one cloud is 192.0.0.192 */
	{ { 192, 0, 2 }, 24, "documentation" },       /* RFC 5737 */
	{ { 192, 31, 196 }, 24, "as112" },            /* RFC 7535 */
	{ { 192, 52, 193 }, 24, "multicast-tunnel" }, /* RFC 7450 */
	{ { 192, 88, 99 }, 24, "6to4-relay" },        /* RFC 7526 */
	{ { 192, 168 }, 16, "private" },              /* RFC 1918 */
	{ { 192, 175, 48 }, 24, "as112" },            /* RFC 7534 */
	{ { 198, 18 }, 15, "benchmarking" },          /* RFC 2544 */
	{ { 198, 51, 100 }, 24, "documentation" },    /* RFC 5737 */
	{ { 203, 0, 113 }, 24, "documentation" },     /* RFC 5737 */
	{ { 224 }, 4, "multicast" },                  /* RFC 5771 */
	{ { 255, 255, 255, 255 }, 32, "broadcast" },  /* RFC 919 section 7 */
	{ { 240 }, 4, "reserved" },                   /* RFC 1112 section 4 */
};

/* Sources: IANA IPv6 Special-Purpose Address Registry, IANA IPv6 Address Space Registry. */
static const struct special_block ipv6_blocks[] = {
	{ { [15] = 1 }, 128, "loopback" },                     /* RFC 4291 section 2.5.3 */
	{ { 0 }, 128, "unspecified" },                         /* RFC 4291 section 2.5.2 */
	{ { 0 }, 96, "ipv4-compatible" },                      /* RFC 4291 section 2.5.5.1 */
	{ { [10] = 0xff, [11] = 0xff }, 96, "ipv4-mapped" },   /* RFC 4291 section 2.5.5.2 */
	{ { [8] = 0xff, [9] = 0xff }, 96, "ipv4-translated" }, /* RFC 2765 section 2.1 */
	{ { 0, 0x64, 0xff, 0x9b }, 96, "nat64" },              /* RFC 6052 section 2.1 */
	{ { 0, 0x64, 0xff, 0x9b, 0, 1 }, 48, "nat64-local" },  /* RFC 8215 */
	{ { 1, 0 }, 64, "discard-only" },                      /* RFC 6666 */
	{ { 1, 0, 0, 0, 0, 0, 0, 1 }, 64, "dummy" },           /* RFC 9780 */
	{ { 0x20, 0x01, 0, 0 }, 32, "teredo" },                /* RFC 4380 */
	{ { 0x20, 0x01, 0, 2 }, 48, "benchmarking" },          /* RFC 5180 */
	{ { 0x20, 0x01, 0 },
	  23,
	  "protocol-assignment" }, /* RFC 2928; also ORCHID, AMT, AS112, drone ids */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, "documentation" }, /* RFC 3849 */
	{ { 0x20, 0x02 }, 16, "6to4" },                      /* RFC 3056 */
	{ { 0x26, 0x20, 0, 0x4f, 0x80, 0 }, 48, "as112" },   /* RFC 7534 */
	{ { 0x3f, 0xff, 0 }, 20, "documentation" },          /* RFC 9637 */
	{ { 0x5f, 0 }, 16, "segment-routing" },              /* RFC 9602 */
	{ { 0xfc }, 7, "unique-local" },      /* RFC 4193; metadata of one cloud is fd00:ec2::254 */
	{ { 0xfe, 0x80 }, 10, "link-local" }, /* RFC 4291 section 2.5.6 */
	{ { 0xfe, 0xc0 }, 10, "site-local" }, /* RFC 3879 */
	{ { 0xff }, 8, "multicast" },         /* RFC 4291 section 2.7 */
};

/* The only part of the IPv6 space that is allocated as global unicast. Source: RFC 4291
 * section 2.4, IANA IPv6 Address Space Registry. */
static const struct special_block ipv6_global_unicast = { { 0x20 }, 3, "global-unicast" };

static bool block_contains(const struct special_block *block, const uint8_t *address) {
	unsigned bytes = block->prefix_bits / 8, rest = block->prefix_bits % 8;
	uint8_t mask = (uint8_t)(0xff00U >> rest);

	return !memcmp(block->prefix, address, bytes) &&
	       (!rest || !((block->prefix[bytes] ^ address[bytes]) & mask));
}

static const char *find_block(const struct special_block *blocks, size_t count,
			      const uint8_t *address) {
	for (size_t i = 0; i < count; i++)
		if (block_contains(&blocks[i], address))
			return blocks[i].name;
	return NULL;
}

static const char *ipv4_refusal(const struct in_addr *address, const struct network_list *allowed) {
	struct in6_addr mapped = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	memcpy(&mapped.s6_addr[12], address, sizeof(*address));
	if (network_list_contains(allowed, &mapped))
		return NULL;
	return find_block(ipv4_blocks, ARRAY_LEN(ipv4_blocks), (const uint8_t *)address);
}

/* The interface identifier names an IPv4 address, whatever the prefix. Source: RFC 5214
 * section 6.1. */
static bool is_isatap(const uint8_t *address) {
	static const uint8_t identifiers[2][4] = { { 0x00, 0x00, 0x5e, 0xfe },
						   { 0x02, 0x00, 0x5e, 0xfe } };

	return !memcmp(address + 8, identifiers[0], 4) || !memcmp(address + 8, identifiers[1], 4);
}

/* Every IPv6 address that embeds an IPv4 address is refused: a gateway could lead from it to an
 * IPv4 address that is refused itself. */
static const char *ipv6_refusal(const struct in6_addr *address,
				const struct network_list *allowed) {
	const char *name;

	if (network_list_contains(allowed, address))
		return NULL;
	name = find_block(ipv6_blocks, ARRAY_LEN(ipv6_blocks), address->s6_addr);
	if (!name && !block_contains(&ipv6_global_unicast, address->s6_addr))
		name = "reserved";
	if (!name && is_isatap(address->s6_addr))
		name = "isatap";
	return name;
}

const char *address_guard_refusal(const struct sockaddr *address,
				  const struct network_list *allowed) {
	switch (address->sa_family) {
	case AF_INET:
		return ipv4_refusal(&((const struct sockaddr_in *)address)->sin_addr, allowed);
	case AF_INET6:
		return ipv6_refusal(&((const struct sockaddr_in6 *)address)->sin6_addr, allowed);
	default:
		return "not-internet";
	}
}
