#include "base/log.h"
#include "base/log_output.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

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

static int divert_to_socket(void **state _unused_) {
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
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

static void a_line_is_logfmt(void **state _unused_) {
	log_info("partition restored", "partition=%d topic=%s", 3, "webhook-state");
	assert_string_equal(
	    next_entry("level="),
	    "level=info message=\"partition restored\" partition=3 topic=webhook-state\n");
	log_warn("alone", "%s", "");
	assert_string_equal(next_entry("level="), "level=warn message=\"alone\"\n");
	log_error("failed", "error=%s", log_quote("say \"no\"\nagain\\"));
	assert_string_equal(next_entry("level="),
			    "level=error message=\"failed\" error=\"say \\\"no\\\" again\\\\\"\n");
}

static void a_line_is_json(void **state _unused_) {
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_info("a \"b\"", "n=%d error=%s last=x", 1, log_quote("two \"words\""));
	assert_string_equal(
	    next_entry("\"level\""),
	    "\"level\":\"info\",\"message\":\"a \\\"b\\\"\",\"n\":\"1\",\"error\":\"two "
	    "\\\"words\\\"\",\"last\":\"x\"}\n");
}

static void levels_below_the_threshold_are_silent(void **state _unused_) {
	log_debug("unsaid", "n=%d", 1);
	log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
	log_warn("unsaid", "n=%d", 2);
	log_error("said", "n=%d", 3);
	assert_string_equal(next_entry("level="), "level=error message=\"said\" n=3\n");
}

static void a_long_value_is_cut(void **state _unused_) {
	char value[10000];

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	log_info("long", "value=%s end=1", log_quote(value));
	assert_non_null(next_entry("\" end=1\n"));
	assert_int_equal(strspn(strstr(entry, "value=\"") + 7, "x"), 512);
	assert_string_equal(log_quote(NULL), "\"\"");
}

static void controls_are_visible(void **state _unused_) {
	const char *expected = "tenant=\"a\\u009b31m\\u202e\" end=\\u007f\n";

	log_info("said", "tenant=%s end=\x7f",
		 log_quote("a\xc2\x9b"
			   "31m\xe2\x80\xae"));
	assert_string_equal(next_entry("tenant="), expected);
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_info("said", "tenant=%s",
		 log_quote("a\xc2\x9b"
			   "31m\xe2\x80\xae"));
	assert_string_equal(next_entry("\"tenant"), "\"tenant\":\"a\\u009b31m\\u202e\"}\n");
}

/* As systemd tells a service that its stderr is the journal. */
static int divert_to_journal(void **state) {
	char name[64];
	struct stat file;

	if (divert_to_socket(state) < 0 || fstat(STDERR_FILENO, &file) < 0)
		return -1;
	snprintf(name, sizeof(name), "%ju:%ju", (uintmax_t)file.st_dev, (uintmax_t)file.st_ino);
	setenv("JOURNAL_STREAM", name, true);
	log_output_open();
	return 0;
}

static int restore_from_journal(void **state) {
	unsetenv("JOURNAL_STREAM");
	log_output_open();
	return restore(state);
}

static void a_line_in_the_journal_has_a_priority(void **state _unused_) {
	log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_LOGFMT);
	log_debug("said", "n=%d", 1);
	assert_ptr_equal(next_entry("<7>time="), entry);
	log_info("said", "n=%d", 2);
	assert_ptr_equal(next_entry("<6>time="), entry);
	log_warn("said", "n=%d", 3);
	assert_ptr_equal(next_entry("<4>time="), entry);
	log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_JSON);
	log_error("said", "n=%d", 4);
	assert_ptr_equal(next_entry("<3>{\"time\""), entry);
}

static void a_variable_for_another_stderr_says_nothing(void **state _unused_) {
	setenv("JOURNAL_STREAM", "8:4711", true);
	log_output_open();
	log_warn("said", "n=%d", 1);
	assert_ptr_equal(next_entry("time="), entry);
	unsetenv("JOURNAL_STREAM");
}

enum { FLOOD = 20000, LINES_MAX = 4 * 1024 * 1024 };

/* Takes all that was written; at the end of the text. */
static void drain(char *text) {
	size_t len = strlen(text);
	ssize_t taken;

	fcntl(reading, F_SETFL, O_NONBLOCK);
	while ((taken = read(reading, text + len, LINES_MAX - len - 1)) > 0)
		len += (size_t)taken;
	text[len] = '\0';
}

/* More than the pipe or socket takes, without a reader: no line waits; each is there whole, or is
 * counted. */
static void a_reader_that_stalls_stops_nobody(void **state _unused_) {
	_cleanup_(x_freep) char *text = x_calloc(1, LINES_MAX);
	uint64_t before = log_dropped(), dropped;
	char told[64];
	size_t whole = 0;

	for (int i = 0; i < FLOOD; i++)
		log_info("flood", "n=%d", i);
	dropped = log_dropped() - before;
	assert_in_range(dropped, 1, FLOOD - 1);
	drain(text);
	log_info("again", "n=%d", -1);
	drain(text);
	snprintf(told, sizeof(told), "\"log lines were dropped\" lines=%llu\n",
		 (unsigned long long)dropped);
	assert_non_null(strstr(text, told));
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
		whole += strncmp(line, "time=", 5) == 0 && strstr(line, "message=\"flood\" n=");
	assert_int_equal(whole + dropped, FLOOD);
	assert_int_equal(log_dropped() - before, dropped);
	memset(text, 0, LINES_MAX);
	log_info("last", "n=%d", -2);
	drain(text);
	assert_non_null(strstr(text, "message=\"last\" n=-2"));
	assert_null(strstr(text, "dropped"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_is_logfmt, divert, restore),
		cmocka_unit_test_setup_teardown(a_line_is_json, divert, restore),
		cmocka_unit_test_setup_teardown(levels_below_the_threshold_are_silent, divert,
						restore),
		cmocka_unit_test_setup_teardown(a_long_value_is_cut, divert, restore),
		cmocka_unit_test_setup_teardown(controls_are_visible, divert, restore),
		cmocka_unit_test_setup_teardown(a_line_in_the_journal_has_a_priority,
						divert_to_journal, restore_from_journal),
		cmocka_unit_test_setup_teardown(a_variable_for_another_stderr_says_nothing,
						divert_to_socket, restore),
		cmocka_unit_test_setup_teardown(a_reader_that_stalls_stops_nobody, divert, restore),
		cmocka_unit_test_setup_teardown(a_reader_that_stalls_stops_nobody, divert_to_socket,
						restore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
