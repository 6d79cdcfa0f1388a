#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
/* After what it needs. */
#include <cmocka.h>

static int original_stderr, reading;
static char entry[32768];

/* Entries go to file descriptor 2: it is a pipe while a test runs. */
static int divert(void **state _unused_) {
	int ends[2];

	if (pipe(ends) < 0)
		return -1;
	original_stderr = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	reading = ends[0];
	return 0;
}

static int restore(void **state _unused_) {
	dup2(original_stderr, STDERR_FILENO);
	close(original_stderr);
	close(reading);
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	return 0;
}

/* The next entry, from `marker` on: what stands before it varies with the time. */
static const char *next_entry(const char *marker) {
	ssize_t len = read(reading, entry, sizeof(entry) - 1);

	assert_true(len > 0);
	entry[len] = '\0';
	return strstr(entry, marker);
}

static void test_logfmt(void **state _unused_) {
	log_info("partition restored", "partition=%d topic=%s", 3, "webhook-state");
	assert_string_equal(next_entry("level="), "level=info message=\"partition restored\" partition=3 topic=webhook-state\n");
	log_warn("alone", "%s", "");
	assert_string_equal(next_entry("level="), "level=warn message=\"alone\"\n");
	log_error("failed", "error=%s", log_quote("say \"no\"\nagain\\"));
	assert_string_equal(next_entry("level="), "level=error message=\"failed\" error=\"say \\\"no\\\" again\\\\\"\n");
}

static void test_json(void **state _unused_) {
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_info("a \"b\"", "n=%d error=%s last=x", 1, log_quote("two \"words\""));
	assert_string_equal(
	    next_entry("\"level\""),
	    "\"level\":\"info\",\"message\":\"a \\\"b\\\"\",\"n\":\"1\",\"error\":\"two \\\"words\\\"\",\"last\":\"x\"}\n");
}

static void test_threshold(void **state _unused_) {
	log_debug("unsaid", "n=%d", 1);
	log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
	log_warn("unsaid", "n=%d", 2);
	log_error("said", "n=%d", 3);
	assert_string_equal(next_entry("level="), "level=error message=\"said\" n=3\n");
}

static void test_a_long_value_is_cut(void **state _unused_) {
	char value[10000];

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	log_info("long", "value=%s end=1", log_quote(value));
	assert_non_null(next_entry("\" end=1\n"));
	assert_int_equal(strspn(strstr(entry, "value=\"") + 7, "x"), 512);
	assert_string_equal(log_quote(NULL), "\"\"");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_logfmt, divert, restore),
		cmocka_unit_test_setup_teardown(test_json, divert, restore),
		cmocka_unit_test_setup_teardown(test_threshold, divert, restore),
		cmocka_unit_test_setup_teardown(test_a_long_value_is_cut, divert, restore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
