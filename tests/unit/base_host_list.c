#include "base/host_list.h"
#include "base/memory.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>

static const struct {
	const char *text;
	size_t networks, suffixes;
} taken[] = {
	{ "", 0, 0 },
	{ "corp.example", 0, 1 },
	{ ".corp.example", 0, 1 },
	{ "localhost", 0, 1 },
	{ "CORP.Example", 0, 1 },
	{ "a_b.r3---sn.example", 0, 1 },
	{ "10.0.0.0/8", 1, 0 },
	{ "10.0.0.0/8, corp.example\t,::1,.internal", 2, 2 },
};

static void lists_are_parsed(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		_cleanup_(host_list_destroy) struct host_list list = { 0 };
		const char *why;

		if (host_list_parse(taken[i].text, &list, &why) ||
		    list.networks.count != taken[i].networks ||
		    list.suffix_count != taken[i].suffixes)
			fail_msg("\"%s\": %s", taken[i].text, why);
	}
}

static const char *const refused[] = {
	",",
	"a,",
	",a",
	"a,,b",
	".",
	"..a",
	"a.",
	"a..b",
	"-a.example",
	"a-.example",
	"*",
	"*.example",
	"a b",
	"http://a",
	"a:443",
	"[::1]",
	"user@a",
	"caf\xc3\xa9.example",
	"10.0.0",
	"10.0.0.256",
	"10.0.0.0/33",
	"10.0.0.1/8",
	"1234567890123456789012345678901234567890123456789012345678901234.example",
};

static void wrong_lists_are_refused(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct host_list list = { 0 };
		const char *why = NULL;

		if (host_list_parse(refused[i], &list, &why) != -EINVAL || !why)
			fail_msg("\"%s\" was taken", refused[i]);
		assert_null(list.suffixes);
	}
}

static void a_list_has_its_limit(void **state _unused_) {
	_cleanup_(host_list_destroy) struct host_list list = { 0 };
	char text[2 * 1025];
	const char *why;

	for (size_t i = 0; i < sizeof(text); i += 2) {
		text[i] = 'a';
		text[i + 1] = ',';
	}
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(host_list_parse(text, &list, &why), -EINVAL);
	text[sizeof(text) - 3] = '\0';
	assert_int_equal(host_list_parse(text, &list, &why), 0);
	assert_int_equal(list.suffix_count, 1024);
}

static const struct {
	const char *list, *host;
	bool contained;
} rows[] = {
	{ "", "a.example", false },
	{ "a.example", "a.example", true },
	{ "a.example", "a.example.", true },
	{ "a.example", "b.a.example", true },
	{ "a.example", "b.a.example.", true },
	{ "a.example", "ba.example", false },
	{ "a.example", "example", false },
	{ "a.example", "a.example.org", false },
	{ "A.Example", "a.example", true },
	{ ".a.example", "a.example", false },
	{ ".a.example", "a.example.", false },
	{ ".a.example", "b.a.example", true },
	{ "example", "a.example", true },
	{ "a", ".a", false },
	{ "a", ".", false },
	{ "x.example,a.example", "a.example", true },
	{ "10.0.0.0/8", "10.1.2.3", true },
	{ "10.0.0.0/8", "11.1.2.3", false },
	{ "10.0.0.0/8", "a.10.1.2.3.example", false },
	{ "::1", "::1", true },
	{ "fd00::/8", "fd12::1", true },
	{ "::/0", "10.1.2.3", false },
	/* A name of the network's is not known as one. */
	{ "127.0.0.0/8", "localhost", false },
};

static void a_host_is_in_its_lists(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(host_list_destroy) struct host_list list = { 0 };
		const char *why;

		assert_int_equal(host_list_parse(rows[i].list, &list, &why), 0);
		if (host_list_contains(&list, rows[i].host) != rows[i].contained)
			fail_msg("\"%s\" in \"%s\"", rows[i].host, rows[i].list);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_parsed),
		cmocka_unit_test(wrong_lists_are_refused),
		cmocka_unit_test(a_list_has_its_limit),
		cmocka_unit_test(a_host_is_in_its_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
