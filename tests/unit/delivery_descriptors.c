#include "base/memory.h"
#include "delivery/descriptors.h"
#include "unit.h"

#include <errno.h>

static const struct {
	int limit, wanted;
	int r;
	struct descriptors_plan plan;
} rows[] = {
	/* A machine as it is usually set up. */
	{ 65536, 1, 0, { 1, 64, 65150 } },
	{ 65536, 4, 0, { 4, 64, 64760 } },
	{ 65536, 63, 0, { 63, 8, 64146 } },
	{ 20000, 191, 0, { 191, 8, 16306 } },
	{ 20000, 256, 0, { 256, 8, 15136 } },
	/* Fewer threads, and fewer shards, before fewer than three quarters of the connections. */
	{ 1024, 1, 0, { 1, 64, 638 } },
	{ 1024, 4, 0, { 4, 23, 576 } },
	{ 1024, 64, 0, { 10, 8, 588 } },
	{ 400, 64, 0, { 2, 8, 108 } },
	{ 300, 64, 0, { 1, 4, 34 } },
	{ 261, 64, 0, { 1, 1, 1 } },
	/* Not one connection. */
	{ 260, 1, -EMFILE, { 0 } },
	{ 256, 64, -EMFILE, { 0 } },
	{ 0, 1, -EMFILE, { 0 } },
};

static void threads_and_shards_leave_room_for_connections(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct descriptors_plan *right = &rows[i].plan;
		struct descriptors_plan plan;
		int r = descriptors_share(rows[i].limit, rows[i].wanted, &plan);

		if (r != rows[i].r ||
		    (!r && (plan.threads != right->threads || plan.shards != right->shards ||
			    plan.connections_max != right->connections_max)))
			fail_msg("%d descriptors for %d threads: %d, %d threads of %d shards, %d "
				 "connections",
				 rows[i].limit, rows[i].wanted, r, plan.threads, plan.shards,
				 plan.connections_max);
	}
}

/* With as many as were said to be needed all that was wanted is there. */
static void what_is_needed_suffices(void **state _unused_) {
	for (int threads = 1; threads <= 256; threads++) {
		for (int connections = 1; connections <= 65536; connections *= 16) {
			struct descriptors_plan plan;
			int needed = descriptors_needed(threads, connections);

			assert_int_equal(descriptors_share(needed, threads, &plan), 0);
			assert_int_equal(plan.threads, threads);
			assert_true(plan.connections_max >= connections);
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_and_shards_leave_room_for_connections),
		cmocka_unit_test(what_is_needed_suffices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
