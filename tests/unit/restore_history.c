/* The history of a partition of the changelog: torn ones, and the gaps of compaction, which are
 * not. */
#include "base/memory.h"
#include "restore/history.h"
#include "unit.h"

enum { END = -1, STEPS_MAX = 12 };

/* A record at `offset`; with a sequence it is a position that counts `count` records, of store
 * `store`. */
struct step {
	int64_t offset, sequence;
	int32_t count;
	uint8_t store;
};

#define RECORD(at) { .offset = (at) }
#define POSITION(at, sequence, count, store) { at, sequence, count, store }

static const struct {
	const char *name;
	struct step steps[STEPS_MAX];
	const char *fault; /* NULL, or what the last position is told */
} histories[] = {
	{ "nothing", { RECORD(END) }, NULL },
	{ "two whole transactions",
	  { RECORD(0), RECORD(1), POSITION(2, 1, 2, 1), RECORD(4), POSITION(5, 2, 1, 1),
	    RECORD(END) },
	  NULL },
	{ "a transaction of offsets alone",
	  { POSITION(0, 1, 0, 1), POSITION(2, 2, 0, 1), RECORD(END) },
	  NULL },
	{ "records of compacted transactions",
	  { RECORD(0), RECORD(3), RECORD(7), RECORD(9), POSITION(10, 9, 1, 1), RECORD(END) },
	  NULL },
	{ "the first records of a transaction compacted away",
	  { POSITION(0, 1, 0, 1), RECORD(5), POSITION(6, 2, 3, 1), RECORD(END) },
	  NULL },
	{ "the last records of a transaction compacted away",
	  { POSITION(0, 1, 0, 1), RECORD(2), POSITION(6, 2, 4, 1), RECORD(END) },
	  NULL },
	{ "an aborted transaction in between",
	  { POSITION(0, 1, 0, 1), RECORD(9), POSITION(10, 2, 1, 1), RECORD(END) },
	  NULL },
	{ "too many records",
	  { RECORD(0), RECORD(1), POSITION(2, 1, 1, 1), RECORD(END) },
	  "more records than its position counts: two writers have interleaved" },
	{ "too few records",
	  { POSITION(0, 1, 0, 1), RECORD(2), POSITION(3, 2, 2, 1), RECORD(END) },
	  "fewer records than its position counts: a transaction is torn" },
	{ "the same sequence again",
	  { POSITION(0, 5, 0, 1), POSITION(2, 5, 0, 1), RECORD(END) },
	  "its sequence does not rise" },
	{ "a lower sequence",
	  { POSITION(0, 5, 0, 1), POSITION(2, 4, 0, 1), RECORD(END) },
	  "its sequence does not rise" },
	{ "another store",
	  { POSITION(0, 5, 0, 1), POSITION(2, 6, 0, 2), RECORD(END) },
	  "another store id than before" },
};

static const char *play(const struct step *steps) {
	const char *fault = NULL;
	struct history history;

	history_init(&history);
	for (; steps->offset != END; steps++) {
		struct position position = { .store_id.bytes[0] = steps->store,
					     .sequence = steps->sequence,
					     .record_count = steps->count };

		assert_null(fault);
		if (steps->sequence)
			fault = history_position(&history, &position, steps->offset);
		else
			history_record(&history, steps->offset);
	}
	return fault;
}

static void histories_are_judged(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(histories); i++) {
		const char *fault = play(histories[i].steps);

		if ((fault == NULL) != (histories[i].fault == NULL) ||
		    (fault && strcmp(fault, histories[i].fault) != 0))
			fail_msg("%s: %s", histories[i].name, fault ? fault : "no fault");
	}
}

static void continuing_behind_a_known_position(void **state _unused_) {
	struct position known = { .sequence = 7 }, next = { .sequence = 8, .record_count = 1 },
			stale = { .sequence = 7 };
	struct history history;

	history_continue(&history, &known, 100);
	history_record(&history, 102);
	assert_null(history_position(&history, &next, 103));
	assert_true(history_same_position(&history.position, &next));
	assert_int_equal(history.position_offset, 103);
	assert_non_null(history_position(&history, &stale, 105));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(histories_are_judged),
		cmocka_unit_test(continuing_behind_a_known_position),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
