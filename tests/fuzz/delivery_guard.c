/*
 * Where a callback may go: one line of a network that is allowed, then an address of 4 or 16 bytes;
 * and the borders of the network, where none is allowed.
 * Against a model that names what is open, where the guard names what is closed.
 *
 * Seeds: the literals of tests/unit/delivery_addresses.h.
 */
#include "delivery/address_guard.h"
#include "fuzz.h"
#include "network_model.h"

#include <netinet/in.h>

/*
 * Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries; the guard's table has the RFCs.
 */
static const char *const closed[] = {
	"0.0.0.0/8",        "10.0.0.0/8",        "100.64.0.0/10",   "127.0.0.0/8",
	"168.63.129.16/32", "169.254.0.0/16",    "172.16.0.0/12",   "192.0.0.0/24",
	"192.0.2.0/24",     "192.31.196.0/24",   "192.52.193.0/24", "192.88.99.0/24",
	"192.168.0.0/16",   "192.175.48.0/24",   "198.18.0.0/15",   "198.51.100.0/24",
	"203.0.113.0/24",   "224.0.0.0/3",       "2001::/23",       "2001:db8::/32",
	"2002::/16",        "2620:4f:8000::/48", "3fff::/20",
};

static bool is_closed(model_address number) {
	for (size_t i = 0; i < ARRAY_LEN(closed); i++) {
		struct model_network network;

		CHECK(!model_parse(closed[i], &network));
		if (model_is_same(number, network.number, network.bits))
			return true;
	}
	return false;
}

/* Of IPv6 only 2000::/3 is open, and not where the last half names an IPv4 address (RFC 5214). */
static bool is_open_ipv6(model_address number) {
	uint32_t identifier = (uint32_t)(number >> 32);

	return number >> 125 == 1 && (identifier & ~UINT32_C(0x02000000)) != 0x00005efe &&
	       !is_closed(number);
}

static bool may_go(const struct sockaddr *address, const struct network_list *allowed) {
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	struct in6_addr mapped = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (address->sa_family == AF_INET6)
		return model_contains(allowed, &v6->sin6_addr) ||
		       is_open_ipv6(model_number(v6->sin6_addr.s6_addr));
	memcpy(&mapped.s6_addr[12], &v4->sin_addr, sizeof(v4->sin_addr));
	return model_contains(allowed, &mapped) || !is_closed(model_number(mapped.s6_addr));
}

static void check(const struct sockaddr *address, const struct network_list *allowed) {
	const char *refusal = address_guard_refusal(address, allowed);

	CHECK(!refusal == may_go(address, allowed));
	CHECK(!refusal || *refusal);
}

/* Its first address, its last one, and those beside them. */
static void check_borders(const struct network *network) {
	static const struct network_list none = { 0 };
	model_address first = model_number(network->address.s6_addr), last = first;

	if (network->prefix_bits < 128)
		last |= ~(model_address)0 >> network->prefix_bits;
	for (int i = 0; i < 4; i++) {
		model_address number = (model_address[]){ first - 1, first, last, last + 1 }[i];
		struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
		struct sockaddr_in v4 = { .sin_family = AF_INET,
					  .sin_addr.s_addr = htonl((uint32_t)number) };

		if (model_is_same(number, MODEL_IPV4, 96))
			check((const struct sockaddr *)&v4, &none);
		for (int byte = 15; byte >= 0; byte--, number >>= 8)
			v6.sin6_addr.s6_addr[byte] = (uint8_t)number;
		check((const struct sockaddr *)&v6, &none);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct fuzz_input input = FUZZ_INPUT(data, size);
	_cleanup_(x_freep) char *text = fuzz_take_line(&input);
	size_t left = (size_t)(input.end - input.at);
	struct network network = { 0 };
	struct network_list allowed = { .items = &network };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	allowed.count = !network_parse(text, &network);
	if (allowed.count)
		check_borders(&network);
	memcpy(&v4.sin_addr, input.at, MIN(left, sizeof(v4.sin_addr)));
	memcpy(&v6.sin6_addr, input.at, MIN(left, sizeof(v6.sin6_addr)));
	check((const struct sockaddr *)&v4, &allowed);
	check((const struct sockaddr *)&v6, &allowed);
	return 0;
}
