/* Networks in CIDR notation. Source: RFC 4632 section 3.1, RFC 4291 section 2.3. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A network, always in IPv6 form: IPv4 is ::ffff:a.b.c.d with 96 added to the prefix length. */
struct network {
	struct in6_addr address;
	uint8_t prefix_bits; /* 0..128 */
};

struct network_list {
	struct network *items; /* owned */
	size_t count;
};

/* Parses "10.0.0.0/8", "fd00::/8", or a single address. Returns 0; -EINVAL for any other text;
 * or -EDOM for bits outside the prefix, which are usually a slip. */
int network_parse(const char *text, struct network *out);

/* Whether `address` (IPv6 form) lies in one of the networks. An IPv4 address lies in IPv4
 * networks only: ::/0 allows all of IPv6 and none of IPv4. */
bool network_list_contains(const struct network_list *list, const struct in6_addr *address);
