#include "terminal/output.h"
#include "unit.h"

enum { MAX_BYTES = 16 };

/* The bytes that a print of `buffer` left in a file; its status is checked. */
static long printed_bytes(const struct buffer *buffer, enum admin_status expected) {
	FILE *file = tmpfile();
	long len;

	assert_non_null(file);
	assert_int_equal(terminal_print_buffer(file, "jwks show", buffer), expected);
	len = ftell(file);
	fclose(file);
	return len;
}

static void a_whole_buffer_is_printed(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer buffer = BUFFER_INIT(MAX_BYTES);

	assert_int_equal(printed_bytes(&buffer, ADMIN_OK), 0);
	buffer_append_string(&buffer, "0123456789");
	assert_int_equal(printed_bytes(&buffer, ADMIN_OK), 10);
}

static void an_overflowed_buffer_is_no_answer(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer buffer = BUFFER_INIT(MAX_BYTES);

	buffer_append_string(&buffer, "0123456789");
	buffer_append_string(&buffer, "0123456789");
	assert_int_equal(printed_bytes(&buffer, ADMIN_REFUSED), 0);
}

static void a_failed_write_is_refused(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer buffer = BUFFER_INIT(MAX_BYTES);
	FILE *full = fopen("/dev/full", "w");

	assert_non_null(full);
	setvbuf(full, NULL, _IONBF, 0);
	buffer_append_string(&buffer, "0123456789");
	assert_int_equal(terminal_print_buffer(full, "state dump", &buffer), ADMIN_REFUSED);
	fclose(full);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_buffer_is_printed),
		cmocka_unit_test(an_overflowed_buffer_is_no_answer),
		cmocka_unit_test(a_failed_write_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
