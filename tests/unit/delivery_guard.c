/* Where a callback may go: the edges of every special-purpose block, and their neighbours. */
#include "base/memory.h"
#include "base/network.h"
#include "delivery/address_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/un.h>

/* After what it needs of the standard headers. */
#include <cmocka.h>

static const struct row {
	const char *address;
	const char *refused_as; /* NULL: may go */
} rows[] = {
	/* IPv4 */
	{ "0.0.0.0", "this-network" },
	{ "0.255.255.255", "this-network" },
	{ "1.0.0.0", NULL },
	{ "1.1.1.1", NULL },
	{ "8.8.8.8", NULL },
	{ "9.255.255.255", NULL },
	{ "10.0.0.0", "private" },
	{ "10.255.255.255", "private" },
	{ "11.0.0.0", NULL },
	{ "93.184.216.34", NULL },
	{ "100.63.255.255", NULL },
	{ "100.64.0.0", "carrier-grade-nat" },
	{ "100.100.100.200", "carrier-grade-nat" },
	{ "100.127.255.255", "carrier-grade-nat" },
	{ "100.128.0.0", NULL },
	{ "126.255.255.255", NULL },
	{ "127.0.0.0", "loopback" },
	{ "127.0.0.1", "loopback" },
	{ "127.255.255.255", "loopback" },
	{ "128.0.0.0", NULL },
	{ "168.63.129.15", NULL },
	{ "168.63.129.16", "metadata" },
	{ "168.63.129.17", NULL },
	{ "169.253.255.255", NULL },
	{ "169.254.0.0", "link-local" },
	{ "169.254.169.254", "link-local" },
	{ "169.254.255.255", "link-local" },
	{ "169.255.0.0", NULL },
	{ "172.15.255.255", NULL },
	{ "172.16.0.0", "private" },
	{ "172.31.255.255", "private" },
	{ "172.32.0.0", NULL },
	{ "191.255.255.255", NULL },
	{ "192.0.0.0", "protocol-assignment" },
	{ "192.0.0.8", "protocol-assignment" },
	{ "192.0.0.170", "protocol-assignment" },
	{ "192.0.0.192", "protocol-assignment" },
	{ "192.0.0.255", "protocol-assignment" },
	{ "192.0.1.0", NULL },
	{ "192.0.2.0", "documentation" },
	{ "192.0.2.255", "documentation" },
	{ "192.0.3.0", NULL },
	{ "192.31.195.255", NULL },
	{ "192.31.196.1", "as112" },
	{ "192.31.197.0", NULL },
	{ "192.52.193.1", "multicast-tunnel" },
	{ "192.52.194.0", NULL },
	{ "192.88.98.255", NULL },
	{ "192.88.99.1", "6to4-relay" },
	{ "192.88.100.0", NULL },
	{ "192.167.255.255", NULL },
	{ "192.168.0.0", "private" },
	{ "192.168.255.255", "private" },
	{ "192.169.0.0", NULL },
	{ "192.175.48.1", "as112" },
	{ "192.175.49.0", NULL },
	{ "198.17.255.255", NULL },
	{ "198.18.0.0", "benchmarking" },
	{ "198.19.255.255", "benchmarking" },
	{ "198.20.0.0", NULL },
	{ "198.51.100.0", "documentation" },
	{ "198.51.100.255", "documentation" },
	{ "198.51.101.0", NULL },
	{ "203.0.112.255", NULL },
	{ "203.0.113.0", "documentation" },
	{ "203.0.113.255", "documentation" },
	{ "203.0.114.0", NULL },
	{ "223.255.255.255", NULL },
	{ "224.0.0.0", "multicast" },
	{ "239.255.255.255", "multicast" },
	{ "240.0.0.0", "reserved" },
	{ "255.255.255.254", "reserved" },
	{ "255.255.255.255", "broadcast" },
	/* IPv6 */
	{ "::", "unspecified" },
	{ "::1", "loopback" },
	{ "::2", "ipv4-compatible" },
	{ "::127.0.0.1", "ipv4-compatible" },
	{ "::8.8.8.8", "ipv4-compatible" },
	{ "::ffff:0:0", "ipv4-mapped" },
	{ "::ffff:127.0.0.1", "ipv4-mapped" },
	{ "::ffff:10.0.0.1", "ipv4-mapped" },
	{ "::ffff:8.8.8.8", "ipv4-mapped" },
	{ "::ffff:0:127.0.0.1", "ipv4-translated" },
	{ "::1:0:0:0", "reserved" },
	{ "64:ff9b::10.0.0.1", "nat64" },
	{ "64:ff9b::8.8.8.8", "nat64" },
	{ "64:ff9b:0:0:0:1::", "reserved" },
	{ "64:ff9b:1::10.0.0.1", "nat64-local" },
	{ "64:ff9b:1:ffff::", "nat64-local" },
	{ "64:ff9b:2::", "reserved" },
	{ "100::", "discard-only" },
	{ "100::ffff:ffff:ffff:ffff", "discard-only" },
	{ "100:0:0:1::1", "dummy" },
	{ "100:0:0:2::1", "reserved" },
	{ "1fff:ffff::", "reserved" },
	{ "2000::1", NULL },
	{ "2001::1", "teredo" },
	{ "2001:0:4136:e378:8000:63bf:3fff:fdd2", "teredo" },
	{ "2001:1::1", "protocol-assignment" },
	{ "2001:2::1", "benchmarking" },
	{ "2001:2:0:ffff::", "benchmarking" },
	{ "2001:2:1::", "protocol-assignment" },
	{ "2001:3::1", "protocol-assignment" },
	{ "2001:10::1", "protocol-assignment" },
	{ "2001:20::1", "protocol-assignment" },
	{ "2001:1ff:ffff::", "protocol-assignment" },
	{ "2001:200::1", NULL },
	{ "2001:4860:4860::8888", NULL },
	{ "2001:db7:ffff::", NULL },
	{ "2001:db8::1", "documentation" },
	{ "2001:db8:ffff::", "documentation" },
	{ "2001:db9::", NULL },
	{ "2002::1", "6to4" },
	{ "2002:7f00:1::1", "6to4" },
	{ "2002:808:808::1", "6to4" },
	{ "2003::1", NULL },
	{ "2606:4700::1111", NULL },
	{ "2620:4f:8000::1", "as112" },
	{ "2620:4f:8001::1", NULL },
	{ "2a00:1450:4001::200e", NULL },
	{ "3ffe:ffff::", NULL },
	{ "3fff::1", "documentation" },
	{ "3fff:fff:ffff::", "documentation" },
	{ "3fff:1000::", NULL },
	{ "4000::", "reserved" },
	{ "5f00::1", "segment-routing" },
	{ "5f01::", "reserved" },
	{ "fbff:ffff::", "reserved" },
	{ "fc00::1", "unique-local" },
	{ "fd00:ec2::254", "unique-local" },
	{ "fdff:ffff::", "unique-local" },
	{ "fe00::1", "reserved" },
	{ "fe80::1", "link-local" },
	{ "febf:ffff::", "link-local" },
	{ "fec0::1", "site-local" },
	{ "feff:ffff::", "site-local" },
	{ "ff00::1", "multicast" },
	{ "ff02::1", "multicast" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast" },
};

_Static_assert(ARRAY_LEN(rows) >= 80, "every block has its edges here");

static const struct sockaddr *parse(const char *text, struct sockaddr_storage *storage) {
	struct sockaddr_in *v4 = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)storage;

	memset(storage, 0, sizeof(*storage));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
		storage->ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
		storage->ss_family = AF_INET6;
	else
		fail_msg("not an address: %s", text);
	return (const struct sockaddr *)storage;
}

static void assert_refusal(const char *address, const struct network_list *allowed, const char *expected) {
	struct sockaddr_storage storage;
	const char *actual = address_guard_refusal(parse(address, &storage), allowed);

	if (!actual != !expected || (actual && strcmp(actual, expected)))
		fail_msg("%s: %s, expected %s", address, actual ? actual : "may go", expected ? expected : "may go");
}

static void test_special_blocks(void **state _unused_) {
	static const struct network_list none = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refusal(rows[i].address, &none, rows[i].refused_as);
}

/* Opening a network opens that and nothing beside it. */
static void test_allowed_networks(void **state _unused_) {
	static const struct {
		const char *network, *address, *refused_as;
	} allowed_rows[] = {
		{ "10.1.0.0/16", "10.1.0.0", NULL },
		{ "10.1.0.0/16", "10.1.255.255", NULL },
		{ "10.1.0.0/16", "10.2.0.0", "private" },
		{ "10.1.0.0/16", "::10.1.0.1", "ipv4-compatible" },
		{ "10.1.0.0/16", "64:ff9b::10.1.0.1", "nat64" },
		{ "10.1.0.0/16", "2002:a01:1::", "6to4" },
		{ "127.0.0.1/32", "127.0.0.1", NULL },
		{ "127.0.0.1/32", "127.0.0.2", "loopback" },
		{ "127.0.0.1/32", "::1", "loopback" },
		{ "::1/128", "::1", NULL },
		{ "::1/128", "127.0.0.1", "loopback" },
		{ "0.0.0.0/0", "169.254.169.254", NULL },
		{ "0.0.0.0/0", "fd00::1", "unique-local" },
		{ "fd00::/8", "fd12::1", NULL },
		{ "fd00::/8", "fc12::1", "unique-local" },
		{ "::/0", "fe80::1", NULL },
		{ "::/0", "127.0.0.1", "loopback" },
		{ "64:ff9b::/96", "64:ff9b::8.8.8.8", NULL },
		{ "192.168.7.0/24", "93.184.216.34", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(allowed_rows); i++) {
		struct network network;
		struct network_list list = { .items = &network, .count = 1 };

		assert_int_equal(network_parse(allowed_rows[i].network, &network), 0);
		assert_refusal(allowed_rows[i].address, &list, allowed_rows[i].refused_as);
	}
}

static void test_other_families(void **state _unused_) {
	static const struct network_list none = { 0 };
	struct sockaddr_un local = { .sun_family = AF_UNIX, .sun_path = "/run/secret" };

	assert_non_null(address_guard_refusal((const struct sockaddr *)&local, &none));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_special_blocks),
		cmocka_unit_test(test_allowed_networks),
		cmocka_unit_test(test_other_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
