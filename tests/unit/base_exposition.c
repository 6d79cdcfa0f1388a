/* Metrics as text. */
#include "base/exposition.h"
#include "unit.h"

static void a_single_has_a_head_and_a_sample(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(1024);

	exposition_single(&out, "x_total", "counter", "Things.", -3);
	assert_string_equal(out.data, "# HELP x_total Things.\n"
				      "# TYPE x_total counter\n"
				      "x_total -3\n");
}

static void the_buckets_of_a_histogram_are_cumulative(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(1024);
	static const double bounds[] = { 0.5, 10 };
	static const uint64_t counts[] = { 2, 0, 1 };
	const struct exposition_histogram histogram = { bounds, ARRAY_LEN(bounds), counts, 12.25 };

	exposition_histogram(&out, "x_seconds", "Times.", &histogram);
	assert_string_equal(out.data, "# HELP x_seconds Times.\n"
				      "# TYPE x_seconds histogram\n"
				      "x_seconds_bucket{le=\"0.5\"} 2\n"
				      "x_seconds_bucket{le=\"10\"} 2\n"
				      "x_seconds_bucket{le=\"+Inf\"} 3\n"
				      "x_seconds_sum 12.250000\n"
				      "x_seconds_count 3\n");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_single_has_a_head_and_a_sample),
		cmocka_unit_test(the_buckets_of_a_histogram_are_cumulative),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
