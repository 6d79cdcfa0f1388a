/* Metrics as text. */
#include "base/exposition.h"
#include "unit.h"

#include <inttypes.h>
#include <stdio.h>

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

/* Of one that is not there nothing is told but the names. */
static void a_disk_has_a_size_and_room(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(4096);
	uint64_t free_bytes = 0, size = 0;

	exposition_disk(&out, "/");
	assert_int_equal(sscanf(strstr(out.data, "\nposthorn_disk_free_bytes "),
				"\nposthorn_disk_free_bytes %" SCNu64, &free_bytes),
			 1);
	assert_int_equal(sscanf(strstr(out.data, "\nposthorn_disk_size_bytes "),
				"\nposthorn_disk_size_bytes %" SCNu64, &size),
			 1);
	assert_true(size > 0 && free_bytes <= size);
	buffer_clear(&out);
	exposition_disk(&out, "/nowhere/at/all");
	assert_null(strstr(out.data, "\nposthorn_disk"));
	assert_non_null(strstr(out.data, "# TYPE posthorn_disk_free_bytes gauge"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_single_has_a_head_and_a_sample),
		cmocka_unit_test(the_buckets_of_a_histogram_are_cumulative),
		cmocka_unit_test(a_disk_has_a_size_and_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
