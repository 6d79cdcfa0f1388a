/* What a member of the group subscribes to, from its metadata. */
#include "rdkafka/group_watch.h"
#include "unit.h"

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	int r;
	bool has;
} rows[] = {
	{ "version 1, with the topic", "\0\1\0\0\0\2\0\1a\0\6events\xff\xff\xff\xff", 19, 0, true },
	{ "version 3, what follows is passed over",
	  "\0\3\0\0\0\1\0\6events\0\0\0\0\0\0\0\0\xff\xff\xff\xff", 26, 0, true },
	{ "without it", "\0\0\0\0\0\2\0\1a\0\5event", 16, 0, false },
	{ "no topic at all", "\0\0\0\0\0\0", 6, 0, false },
	{ "nothing", "", 0, GROUP_SUBSCRIPTION_E_MALFORMED, false },
	{ "cut in the count", "\0\0\0\0", 4, GROUP_SUBSCRIPTION_E_MALFORMED, false },
	{ "cut in a name", "\0\0\0\0\0\1\0\6even", 12, GROUP_SUBSCRIPTION_E_MALFORMED, false },
	{ "more topics than bytes", "\0\0\x7f\xff\xff\xff\0\1a", 9, GROUP_SUBSCRIPTION_E_MALFORMED,
	  false },
};

static void a_subscription_has_a_topic_or_not(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *copy = x_malloc(rows[i].len + 1); /* no byte more, for the sanitizer */
		bool has = true;

		print_message("%s\n", rows[i].name);
		memcpy(copy, rows[i].bytes, rows[i].len);
		assert_int_equal(group_subscription_has(copy, rows[i].len, "events", &has),
				 rows[i].r);
		if (rows[i].r == 0)
			assert_int_equal(has, rows[i].has);
		free(copy);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_subscription_has_a_topic_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
