/* Blocks of addresses in CIDR notation. Source: RFC 4632 section 3.1, RFC 4291 section 2.3. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A block of addresses, always in IPv6 form (IPv4 as ::ffff:a.b.c.d with 96 added to its prefix).
 */
struct network {
	struct in6_addr address;
	uint8_t prefix_bits; /* 0..128 */
};

struct network_list {
	struct network *items; /* owned */
	size_t count;
};

/*
 * Reads "10.0.0.0/8", "fd00::/8", or a single address. Returns 0; -EINVAL where it is none of
 * these; or -EDOM where it has bits outside its prefix, which is a slip more often than a way to
 * write the block.
 */
int network_parse(const char *text, struct network *out);

/*
 * Whether `address` (IPv6 form) lies in one of the networks. An IPv4 address lies in IPv4 blocks
 * only: ::/0 opens IPv6, and not all of IPv4 with it.
 */
bool network_list_contains(const struct network_list *list, const struct in6_addr *address);
