/* Where a callback may go, at the guard's own function. */
#include "base/memory.h"
#include "base/network.h"
#include "delivery/address_guard.h"
#include "delivery_addresses.h"
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>

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

static void assert_refusal(const char *address, const struct network_list *allowed,
			   const char *expected) {
	struct sockaddr_storage storage;
	const char *actual = address_guard_refusal(parse(address, &storage), allowed);

	if (!actual != !expected || (actual && strcmp(actual, expected)))
		fail_msg("%s: %s, expected %s", address, actual ? actual : "may go",
			 expected ? expected : "may go");
}

static void special_blocks_are_refused(void **state _unused_) {
	static const struct network_list none = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(address_rows); i++)
		assert_refusal(address_rows[i].address, &none, address_rows[i].refused_as);
}

/* Opening a network opens that and nothing beside it. */
static void an_allowed_network_opens_nothing_beside_it(void **state _unused_) {
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

static void other_families_are_refused(void **state _unused_) {
	static const struct network_list none = { 0 };
	struct sockaddr_un local = { .sun_family = AF_UNIX, .sun_path = "/run/secret" };

	assert_non_null(address_guard_refusal((const struct sockaddr *)&local, &none));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(special_blocks_are_refused),
		cmocka_unit_test(an_allowed_network_opens_nothing_beside_it),
		cmocka_unit_test(other_families_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
