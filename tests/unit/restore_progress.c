/* What is told of restores while they run, and which partition's fetching is kept going. */
#include "restore/clients.h"
#include "restore/progress.h"
#include "unit.h"

enum { RESTORES_MAX = 3, NONE = -1 };

/* A restore in the list; the target says that there is one. */
struct item {
	int32_t partition;
	int64_t next_offset, target;
	bool at_end, held;
};

#define AT(partition, next_offset, target) { partition, next_offset, target, false, false }
#define READ_AT(partition, next_offset, target) { partition, next_offset, target, true, false }
#define HELD_AT(partition, next_offset, target) { partition, next_offset, target, false, true }

static struct restore *list_of(const struct item *items, struct restore *restores) {
	struct restore *first = NULL;

	for (size_t i = 0; i < RESTORES_MAX && items[i].target; i++) {
		restores[i] = (struct restore){ .partition = items[i].partition,
						.next_offset = items[i].next_offset,
						.target = items[i].target,
						.at_end = items[i].at_end,
						.takeover_at_ms = items[i].held,
						.next = first };
		first = &restores[i];
	}
	return first;
}

static const struct {
	const char *name;
	int64_t left_before, told_ago_ms; /* NONE: not told before */
	struct item items[RESTORES_MAX];
	bool is_told;
	int64_t left, a_second, seconds_left;
	int32_t furthest;
} reports[] = {
	{ "no restore", NONE, NONE, { AT(0, 0, 0) }, false, 0, 0, 0, 0 },
	{ "the first report knows no rate", NONE, NONE, { AT(1, 0, 900) }, true, 900, 0, NONE, 1 },
	{ "too early for another", 900, 9999, { AT(1, 100, 900) }, false, 0, 0, 0, 0 },
	{ "ten seconds later", 900, 10000, { AT(1, 100, 900) }, true, 800, 10, 80, 1 },
	{ "twenty seconds later", 900, 20000, { AT(1, 100, 900) }, true, 800, 5, 160, 1 },
	{ "no progress", 800, 10000, { AT(1, 100, 900) }, true, 800, 0, NONE, 1 },
	{ "a partition was added",
	  800,
	  10000,
	  { AT(1, 500, 900), AT(2, 0, 1000) },
	  true,
	  1400,
	  0,
	  NONE,
	  2 },
	{ "the one with most before it is furthest",
	  3000,
	  10000,
	  { AT(1, 0, 500), AT(2, 100, 1100), AT(3, 0, 500) },
	  true,
	  2000,
	  100,
	  20,
	  2 },
	{ "one that read past its target has nothing before it",
	  1000,
	  10000,
	  { AT(1, 600, 500), AT(2, 0, 500) },
	  true,
	  500,
	  50,
	  10,
	  2 },
	{ "all read to the end", 1000, 10000, { AT(1, 500, 500) }, true, 0, 100, 0, 1 },
	{ "a target that is not known", NONE, NONE, { AT(1, 0, -1) }, false, 0, 0, 0, 0 },
};

static bool is_as_expected(const struct restore_progress_report *report, size_t i) {
	return report->left == reports[i].left && report->a_second == reports[i].a_second &&
	       report->seconds_left == reports[i].seconds_left &&
	       report->furthest->partition == reports[i].furthest;
}

static void progress_is_told_every_ten_seconds(void **state _unused_) {
	static const int64_t now_ms = 5 * 1000 * 1000, interval_ms = 10 * 1000;

	for (size_t i = 0; i < ARRAY_LEN(reports); i++) {
		struct restore restores[RESTORES_MAX];
		struct restore_progress progress = { 0 };
		struct restore_progress_report report;
		bool is_told;

		restore_progress_init(&progress);
		if (reports[i].told_ago_ms != NONE)
			progress = (struct restore_progress){
				.tell_at_ms = now_ms - reports[i].told_ago_ms + interval_ms,
				.left = reports[i].left_before,
			};
		is_told = restore_progress_report(&progress, list_of(reports[i].items, restores),
						  now_ms, &report);
		if (is_told != reports[i].is_told)
			fail_msg("%s: told or not", reports[i].name);
		if (is_told && !is_as_expected(&report, i))
			fail_msg("%s: left %lld, %lld a second, %lld seconds, furthest %d",
				 reports[i].name, (long long)report.left,
				 (long long)report.a_second, (long long)report.seconds_left,
				 report.furthest->partition);
	}
}

static const struct {
	const char *name;
	struct item items[RESTORES_MAX];
	int32_t last, next;
} nudges[] = {
	{ "no restore", { AT(0, 0, 0) }, NONE, NONE },
	{ "the lowest is first", { AT(4, 0, 9), AT(2, 0, 9), AT(7, 0, 9) }, NONE, 2 },
	{ "then the next", { AT(4, 0, 9), AT(2, 0, 9), AT(7, 0, 9) }, 2, 4 },
	{ "after the highest the turns end", { AT(4, 0, 9), AT(2, 0, 9) }, 4, NONE },
	{ "partition 0 has its turn", { AT(0, 0, 9), AT(2, 0, 9) }, NONE, 0 },
	{ "read to its end", { READ_AT(2, 0, 9), AT(4, 0, 9) }, NONE, 4 },
	{ "held by a transaction", { HELD_AT(2, 0, 9), AT(4, 0, 9) }, NONE, 4 },
};

static void partitions_are_nudged_in_turns(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(nudges); i++) {
		struct restore restores[RESTORES_MAX];
		int32_t next =
		    restore_clients_next_nudge(list_of(nudges[i].items, restores), nudges[i].last);

		if (next != nudges[i].next)
			fail_msg("%s: %d", nudges[i].name, next);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(progress_is_told_every_ten_seconds),
		cmocka_unit_test(partitions_are_nudged_in_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
