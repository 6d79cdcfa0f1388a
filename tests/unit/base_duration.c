#include "base/duration.h"
#include "base/memory.h"
#include "unit.h"

#include <errno.h>

static const struct {
	const char *text;
	int r;
	int64_t ms;
} durations[] = {
	{ "500ms", 0, 500 },
	{ "5s", 0, 5000 },
	{ "5m", 0, 300000 },
	{ "2h", 0, 7200000 },
	{ "5d", 0, 432000000 },
	{ "0", 0, 0 },
	{ "0s", 0, 0 },
	{ "007s", 0, 7000 },
	{ "106751991167d", 0, 9223372036828800000 },
	{ "", -EINVAL, 0 },
	{ "s", -EINVAL, 0 },
	{ "5", -EINVAL, 0 },
	{ "5 s", -EINVAL, 0 },
	{ " 5s", -EINVAL, 0 },
	{ "5s ", -EINVAL, 0 },
	{ "5S", -EINVAL, 0 },
	{ "-5s", -EINVAL, 0 },
	{ "+5s", -EINVAL, 0 },
	{ "1.5s", -EINVAL, 0 },
	{ "5sec", -EINVAL, 0 },
	{ "1h30m", -EINVAL, 0 },
	{ "106751991168d", -EINVAL, 0 },
	{ "99999999999999999999ms", -EINVAL, 0 },
};

static void durations_are_parsed(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		int64_t ms = 0;

		if (duration_parse(durations[i].text, &ms) != durations[i].r ||
		    ms != durations[i].ms)
			fail_msg("\"%s\" gave %lld", durations[i].text, (long long)ms);
	}
}

static const struct {
	int64_t ms;
	const char *text;
} formatted[] = {
	{ 0, "0" },       { 1, "1ms" },       { 1500, "1500ms" },  { 60000, "1m" },
	{ 90000, "90s" }, { 86400000, "1d" }, { 90000000, "25h" },
};

static void durations_are_formatted(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(formatted); i++) {
		char text[DURATION_TEXT_SIZE];

		duration_format(formatted[i].ms, text);
		assert_string_equal(text, formatted[i].text);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = { cmocka_unit_test(durations_are_parsed),
					    cmocka_unit_test(durations_are_formatted) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
