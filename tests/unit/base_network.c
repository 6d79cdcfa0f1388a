#include "base/memory.h"
#include "base/network.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

static const struct {
	const char *text;
	int r;
	unsigned prefix_bits;
} networks[] = {
	{ "10.0.0.0/8", 0, 104 },
	{ "127.0.0.1", 0, 128 },
	{ "0.0.0.0/0", 0, 96 },
	{ "192.168.1.0/31", 0, 127 },
	{ "fd00::/8", 0, 8 },
	{ "::1", 0, 128 },
	{ "::/0", 0, 0 },
	{ "::ffff:10.0.0.0/104", 0, 104 },
	{ "10.0.0.1/8", -EDOM, 0 },
	{ "fd00::1/64", -EDOM, 0 },
	{ "", -EINVAL, 0 },
	{ "/8", -EINVAL, 0 },
	{ "10.0.0.0/", -EINVAL, 0 },
	{ "10.0.0.0/33", -EINVAL, 0 },
	{ "10.0.0.0/0008", -EINVAL, 0 },
	{ "10.0.0.0/-1", -EINVAL, 0 },
	{ "10.0.0.0/8/8", -EINVAL, 0 },
	{ "10.0.0.0/8 ", -EINVAL, 0 },
	{ "10.0.0/8", -EINVAL, 0 },
	{ "10.0.0.010/32", -EINVAL, 0 },
	{ "fd00::/129", -EINVAL, 0 },
	{ "[::1]", -EINVAL, 0 },
	{ "fe80::1%eth0", -EINVAL, 0 },
	{ "localhost", -EINVAL, 0 },
	{ "1111:1111:1111:1111:1111:1111:1111:1111:1111/8", -EINVAL, 0 },
};

static void networks_are_parsed(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(networks); i++) {
		struct network network = { 0 };
		int r = network_parse(networks[i].text, &network);

		if (r != networks[i].r ||
		    (r == 0 && network.prefix_bits != networks[i].prefix_bits))
			fail_msg("\"%s\" gave %d and %u bits", networks[i].text, r,
				 network.prefix_bits);
	}
}

static const struct {
	const char *network;
	const char *address; /* as getpeername gives it */
	bool contained;
} addresses[] = {
	{ "10.0.0.0/8", "::ffff:10.255.255.255", true },
	{ "10.0.0.0/8", "::ffff:11.0.0.0", false },
	{ "10.0.0.0/8", "a00::", false },
	{ "172.16.0.0/12", "::ffff:172.31.255.255", true },
	{ "172.16.0.0/12", "::ffff:172.32.0.0", false },
	{ "127.0.0.1", "::ffff:127.0.0.1", true },
	{ "127.0.0.1", "::ffff:127.0.0.2", false },
	{ "127.0.0.1", "::1", false },
	{ "0.0.0.0/0", "::ffff:255.255.255.255", true },
	{ "0.0.0.0/0", "2001:db8::1", false },
	{ "fd00::/8", "fdff::1", true },
	{ "fd00::/8", "fc00::1", false },
	{ "::/0", "2001:db8::1", true },
	{ "::/0", "::ffff:10.0.0.1", false },
	{ "::1", "::1", true },
};

static void a_network_contains_its_addresses(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		struct network network;
		struct network_list list = { .items = &network, .count = 1 };
		struct in6_addr address;

		assert_int_equal(network_parse(addresses[i].network, &network), 0);
		assert_int_equal(inet_pton(AF_INET6, addresses[i].address, &address), 1);
		if (network_list_contains(&list, &address) != addresses[i].contained)
			fail_msg("%s in %s", addresses[i].address, addresses[i].network);
	}
}

static void a_list_contains_the_addresses_of_each(void **state _unused_) {
	struct network items[2];
	struct network_list list = { .items = items, .count = 2 }, none = { 0 };
	struct in6_addr address = IN6ADDR_LOOPBACK_INIT;

	assert_int_equal(network_parse("10.0.0.0/8", &items[0]), 0);
	assert_int_equal(network_parse("::1", &items[1]), 0);
	assert_true(network_list_contains(&list, &address));
	assert_false(network_list_contains(&none, &address));
}

int main(void) {
	const struct CMUnitTest tests[] = { cmocka_unit_test(networks_are_parsed),
					    cmocka_unit_test(a_network_contains_its_addresses),
					    cmocka_unit_test(
						a_list_contains_the_addresses_of_each) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
