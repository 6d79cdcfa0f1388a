/* One restore: where it starts, how records are judged, when it ends and what it came to. */
#include "restore/restore.h"

#include "unit.h"

enum {
	PARTITION = 3,
	SOURCE = 7,
	/* The replica reflects the changelog up to the position record at this offset ... */
	REFLECTED = 9,
	REFLECTED_SEQUENCE = 5,
	STORE = 1,
	/* ... and the changelog reaches up to here. */
	TARGET = 20,
	EVENTS_MAX = 6,
	NEVER = -1,
};

static const int64_t now_ms = 1000 * 1000, wall_ms = 1800000000000;
static const int64_t safe_ms = 7 * 24 * 3600 * 1000 / 2;

static struct position position_of(uint8_t store, int64_t sequence, int32_t record_count) {
	return (struct position){ .store_id.bytes[0] = store,
				  .sequence = sequence,
				  .record_count = record_count,
				  .generation = 1,
				  .member_id = "worker-2" };
}

static struct restore *restore_of(int64_t known_sequence) {
	static struct restore_gauges gauges;
	struct position known = position_of(STORE, known_sequence, 0);
	struct restore_request request = { .partition = PARTITION,
					   .known = &known,
					   .gauges = &gauges };

	return restore_new(&request, SOURCE, now_ms);
}

static bool is_same_text(const char *a, const char *b) {
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Where to start. */

static const struct {
	const char *name;
	int64_t stored_offset, age_ms;
	bool has_position;
	const char *why; /* NULL: it starts at the position */
	bool gives_up;   /* rows of the replica */
} starts[] = {
	{ "nothing in the replica", -1, 0, false, "the replica has nothing of it", false },
	{ "an offset of nothing", 0, 0, true, "the replica has nothing of it", false },
	{ "as of the first position", 1, 0, true, NULL, true },
	{ "as of a position", 10, 0, true, NULL, true },
	{ "no position", 10, 0, false, "the replica has no position of it", true },
	{ "as old as tombstones are kept", 10, safe_ms, true, NULL, true },
	{ "older than tombstones are kept", 10, safe_ms + 1, true,
	  "the replica is older than tombstones are kept", true },
	{ "stored by a clock that was ahead", 10, -safe_ms, true, NULL, true },
};

static void starts_where_the_replica_stands(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		struct position position = position_of(STORE, REFLECTED_SEQUENCE, 0);
		struct restore_stored stored = { .offset = starts[i].stored_offset,
						 .stored_at_ms = wall_ms - starts[i].age_ms,
						 .position =
						     starts[i].has_position ? &position : NULL };
		struct restore *restore = restore_of(0);
		const char *why = restore_begin(restore, &stored, wall_ms);
		int64_t begin = stored.offset - 1;

		if (!is_same_text(why, starts[i].why))
			fail_msg("%s: %s", starts[i].name, why ? why : "it starts");
		if (!why && (restore->next_offset != begin || restore->verify_offset != begin ||
			     restore->history.position_offset != begin ||
			     !is_same_text(restore->last_writer, "worker-2")))
			fail_msg("%s: starts at %lld", starts[i].name,
				 (long long)restore->next_offset);
		if (why && restore_has_begun(restore) != starts[i].gives_up)
			fail_msg("%s: gives up something or not", starts[i].name);
		assert_int_equal(restore_state(restore), RESTORE_STARTING);
		restore_free(restore);
	}
}

static struct restore *begun_at_position(int64_t known_sequence) {
	struct restore *restore = restore_of(known_sequence);
	struct position position = position_of(STORE, REFLECTED_SEQUENCE, 0);
	struct restore_stored stored = { REFLECTED + 1, wall_ms, &position };

	assert_null(restore_begin(restore, &stored, wall_ms));
	return restore;
}

static struct restore *begun_from_scratch(int64_t known_sequence) {
	struct restore *restore = restore_of(known_sequence);

	restore_begin_again(restore, SOURCE + 1);
	return restore;
}

/* The target. */

static const struct {
	const char *name;
	bool from_scratch; /* or after the position */
	int64_t low, high;
	const char *why; /* it has to begin again; NULL: it does not */
	int64_t next_offset;
	enum restore_state state;
} targets[] = {
	{ "an empty changelog", true, 0, 0, NULL, 0, RESTORE_DONE },
	{ "a whole changelog", true, 0, 20, NULL, 0, RESTORE_READING },
	{ "a changelog whose first records were deleted", true, 5, 20, NULL, 5, RESTORE_READING },
	{ "a changelog whose records were all deleted", true, 20, 20, NULL, 20, RESTORE_DONE },
	{ "the position and more", false, 0, 20, NULL, REFLECTED, RESTORE_READING },
	{ "the position is the last record", false, 0, REFLECTED + 1, NULL, REFLECTED,
	  RESTORE_READING },
	{ "the position was deleted", false, 15, 20, NULL, 15, RESTORE_READING },
	{ "the changelog ends before the position", false, 0, REFLECTED,
	  "the replica is ahead of the changelog: the topic was made anew", REFLECTED,
	  RESTORE_STARTING },
	{ "the changelog is empty", false, 0, 0,
	  "the replica is ahead of the changelog: the topic was made anew", REFLECTED,
	  RESTORE_STARTING },
};

static void reads_up_to_the_target(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		struct restore *restore =
		    targets[i].from_scratch ? begun_from_scratch(0) : begun_at_position(0);
		const char *why = restore_check_target(restore, targets[i].high);

		if (!is_same_text(why, targets[i].why))
			fail_msg("%s: %s", targets[i].name, why ? why : "goes on");
		if (!why)
			restore_set_target(restore, targets[i].low, targets[i].high);
		if (restore->next_offset != targets[i].next_offset ||
		    restore_state(restore) != targets[i].state)
			fail_msg("%s: from %lld in state %d", targets[i].name,
				 (long long)restore->next_offset, restore_state(restore));
		restore_free(restore);
	}
}

/* Records and ends. */

enum event_kind { STOP, RECORD, POSITION, GARBLED, END, WRITTEN };

struct event {
	enum event_kind kind;
	int64_t offset, sequence;
	int32_t count;
	uint8_t store;
};

#define NOT_THE_ONE "the changelog is not the one that the replica was made from"
#define UNFINISHED "records behind the last position: an import is not finished"
#define INTERLEAVED "more records than its position counts: two writers have interleaved"

#define RECORD_AT(at) { .kind = RECORD, .offset = (at) }
#define GARBLED_AT(at) { .kind = GARBLED, .offset = (at) }
#define END_AT(at) { .kind = END, .offset = (at) }
#define ALL_WRITTEN { .kind = WRITTEN }
#define POSITION_AT(at, sequence, count, store) { POSITION, at, sequence, count, store }

static const struct course {
	const char *name;
	bool from_scratch; /* or after the position */
	int64_t known_sequence;
	struct event events[EVENTS_MAX];
	const char *why;  /* the last record makes it begin again; NULL: none does */
	const char *torn; /* NULL: it is not */
	enum restore_state state;
	enum restore_end end; /* of a state that has one */
} courses[] = {
	/* The record at the replica's offset is verified. */
	{ .name = "the position is found",
	  .known_sequence = 5,
	  .events = { POSITION_AT(9, 5, 0, STORE) },
	  .state = RESTORE_READING },
	{ .name = "another sequence is found",
	  .known_sequence = 5,
	  .events = { POSITION_AT(9, 6, 0, STORE) },
	  .why = NOT_THE_ONE,
	  .state = RESTORE_READING },
	{ .name = "another store is found",
	  .known_sequence = 5,
	  .events = { POSITION_AT(9, 5, 0, STORE + 1) },
	  .why = NOT_THE_ONE,
	  .state = RESTORE_READING },
	{ .name = "another kind of record is found",
	  .known_sequence = 5,
	  .events = { RECORD_AT(9) },
	  .why = NOT_THE_ONE,
	  .state = RESTORE_READING },
	{ .name = "the position was replaced by a later one",
	  .known_sequence = 5,
	  .events = { POSITION_AT(12, 6, 0, STORE), END_AT(20), ALL_WRITTEN },
	  .state = RESTORE_DONE,
	  .end = RESTORE_END_MOVED },
	{ .name = "the position was replaced by one of another store",
	  .known_sequence = 5,
	  .events = { POSITION_AT(12, 6, 0, STORE + 1) },
	  .why = "the changelog has another store id than the replica",
	  .state = RESTORE_READING },
	{ .name = "the position was replaced, and records come before the next",
	  .known_sequence = 5,
	  .events = { RECORD_AT(11), POSITION_AT(12, 6, 1, STORE), END_AT(20), ALL_WRITTEN },
	  .state = RESTORE_DONE,
	  .end = RESTORE_END_MOVED },
	{ .name = "the position was replaced, and records of another store come",
	  .known_sequence = 5,
	  .events = { RECORD_AT(11), POSITION_AT(12, 6, 1, STORE + 1) },
	  .torn = "another store id than before",
	  .state = RESTORE_TORN,
	  .end = RESTORE_END_TORN },
	{ .name = "the position cannot be decoded",
	  .known_sequence = 5,
	  .events = { GARBLED_AT(9) },
	  .torn = "a position record cannot be decoded",
	  .state = RESTORE_TORN,
	  .end = RESTORE_END_TORN },
	{ .name = "a record before the position is passed over",
	  .known_sequence = 5,
	  .events = { RECORD_AT(3) },
	  .state = RESTORE_READING },
	{ .name = "a record that comes twice is passed over",
	  .known_sequence = 5,
	  .events = { POSITION_AT(9, 5, 0, STORE), RECORD_AT(11), RECORD_AT(11),
		      POSITION_AT(12, 6, 1, STORE) },
	  .state = RESTORE_READING },

	/* Torn histories. */
	{ .name = "two writers",
	  .from_scratch = true,
	  .events = { RECORD_AT(0), RECORD_AT(1), POSITION_AT(2, 1, 1, STORE) },
	  .torn = INTERLEAVED,
	  .state = RESTORE_TORN,
	  .end = RESTORE_END_TORN },
	{ .name = "a transaction is torn",
	  .known_sequence = 5,
	  .events = { POSITION_AT(9, 5, 0, STORE), RECORD_AT(11), POSITION_AT(12, 6, 2, STORE) },
	  .torn = "fewer records than its position counts: a transaction is torn",
	  .state = RESTORE_TORN,
	  .end = RESTORE_END_TORN },
	{ .name = "a sequence falls",
	  .from_scratch = true,
	  .events = { POSITION_AT(0, 5, 0, STORE), POSITION_AT(2, 4, 0, STORE) },
	  .torn = "its sequence does not rise",
	  .state = RESTORE_TORN,
	  .end = RESTORE_END_TORN },
	{ .name = "no record is taken after a tear",
	  .from_scratch = true,
	  .events = { GARBLED_AT(2), POSITION_AT(4, 1, 0, STORE), END_AT(20) },
	  .torn = "a position record cannot be decoded",
	  .state = RESTORE_TORN,
	  .end = RESTORE_END_TORN },
	{ .name = "records behind the last position",
	  .from_scratch = true,
	  .events = { POSITION_AT(9, 5, 0, STORE), RECORD_AT(11), END_AT(20) },
	  .torn = UNFINISHED,
	  .state = RESTORE_TORN,
	  .end = RESTORE_END_TORN },
	{ .name = "records behind the position that the replica reflects",
	  .known_sequence = 5,
	  .events = { POSITION_AT(9, 5, 0, STORE), RECORD_AT(11), END_AT(20) },
	  .torn = UNFINISHED,
	  .state = RESTORE_TORN,
	  .end = RESTORE_END_TORN },
	{ .name = "records and no position",
	  .from_scratch = true,
	  .events = { RECORD_AT(3), RECORD_AT(7), END_AT(20) },
	  .torn = UNFINISHED,
	  .state = RESTORE_TORN,
	  .end = RESTORE_END_TORN },
	{ .name = "records behind the last position, before the target",
	  .from_scratch = true,
	  .events = { POSITION_AT(9, 5, 0, STORE), RECORD_AT(11), END_AT(15) },
	  .state = RESTORE_READING },

	/* Ends. */
	{ .name = "an end before the target",
	  .from_scratch = true,
	  .events = { POSITION_AT(2, 1, 0, STORE), END_AT(19) },
	  .state = RESTORE_READING },
	{ .name = "an end at the target",
	  .from_scratch = true,
	  .events = { POSITION_AT(2, 1, 0, STORE), END_AT(20) },
	  .state = RESTORE_READ },
	{ .name = "an end past the target",
	  .from_scratch = true,
	  .events = { POSITION_AT(2, 1, 0, STORE), END_AT(25) },
	  .state = RESTORE_READ },
	{ .name = "an end before the target, and the next one at it",
	  .from_scratch = true,
	  .events = { POSITION_AT(2, 1, 0, STORE), END_AT(4), POSITION_AT(18, 2, 0, STORE),
		      END_AT(20) },
	  .state = RESTORE_READ },
	{ .name = "records past the target and before the end",
	  .from_scratch = true,
	  .events = { RECORD_AT(21), POSITION_AT(22, 1, 1, STORE) },
	  .state = RESTORE_READING },
	{ .name = "records after the end have to be written too",
	  .from_scratch = true,
	  .events = { POSITION_AT(18, 1, 0, STORE), END_AT(20), ALL_WRITTEN, RECORD_AT(21),
		      POSITION_AT(22, 2, 1, STORE) },
	  .state = RESTORE_READ },
	{ .name = "an end without a record",
	  .from_scratch = true,
	  .events = { END_AT(20) },
	  .state = RESTORE_DONE,
	  .end = RESTORE_END_MOVED },
	{ .name = "an end without the position",
	  .known_sequence = 5,
	  .events = { END_AT(20) },
	  .why = "the changelog no longer has what the replica reflects",
	  .state = RESTORE_DONE,
	  .end = RESTORE_END_UNMOVED },

	/* What it came to. */
	{ .name = "nothing but the position",
	  .known_sequence = 5,
	  .events = { POSITION_AT(9, 5, 0, STORE), END_AT(20), ALL_WRITTEN },
	  .state = RESTORE_DONE,
	  .end = RESTORE_END_UNMOVED },
	{ .name = "a transaction after the position",
	  .known_sequence = 5,
	  .events = { POSITION_AT(9, 5, 0, STORE), RECORD_AT(11), POSITION_AT(12, 6, 1, STORE),
		      END_AT(20), ALL_WRITTEN },
	  .state = RESTORE_DONE,
	  .end = RESTORE_END_MOVED },
	{ .name = "nothing but the position, which an earlier restore had written",
	  .known_sequence = 4,
	  .events = { POSITION_AT(9, 5, 0, STORE), END_AT(20), ALL_WRITTEN },
	  .state = RESTORE_DONE,
	  .end = RESTORE_END_MOVED },
	{ .name = "from scratch up to the known position",
	  .from_scratch = true,
	  .known_sequence = 5,
	  .events = { POSITION_AT(9, 5, 0, STORE), END_AT(20), ALL_WRITTEN },
	  .state = RESTORE_DONE,
	  .end = RESTORE_END_MOVED },
};

static const char *take(struct restore *restore, const struct event *event) {
	struct position position = position_of(event->store, event->sequence, event->count);
	struct restore_record record = {
		.offset = event->offset,
		.is_position = event->kind != RECORD,
		.position = event->kind == POSITION ? &position : NULL,
		.value = "encoded",
		.len = strlen("encoded"),
	};

	return restore_wants(restore, event->offset) ? restore_take_record(restore, &record, now_ms)
						     : NULL;
}

static const char *play(struct restore *restore, const struct event *events) {
	const char *why = NULL;

	for (size_t i = 0; i < EVENTS_MAX && events[i].kind != STOP; i++) {
		assert_null(why);
		if (events[i].kind == END)
			restore_take_end(restore, events[i].offset, now_ms);
		else if (events[i].kind == WRITTEN)
			restore_set_written(restore);
		else
			why = take(restore, &events[i]);
	}
	return why;
}

static struct restore *begun(bool from_scratch, int64_t known_sequence) {
	struct restore *restore =
	    from_scratch ? begun_from_scratch(known_sequence) : begun_at_position(known_sequence);

	restore_set_target(restore, 0, TARGET);
	return restore;
}

static void records_are_judged(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(courses); i++) {
		const struct course *course = &courses[i];
		struct restore *restore = begun(course->from_scratch, course->known_sequence);
		const char *why = play(restore, course->events);

		if (!why && restore_state(restore) == RESTORE_DONE)
			why = restore_check_done(restore);
		if (!is_same_text(why, course->why))
			fail_msg("%s: %s", course->name, why ? why : "goes on");
		if (!is_same_text(restore->torn, course->torn))
			fail_msg("%s: %s", course->name, restore->torn ? restore->torn : "whole");
		if (restore_state(restore) != course->state)
			fail_msg("%s: state %d", course->name, restore_state(restore));
		if (course->state >= RESTORE_DONE && restore_end(restore) != course->end)
			fail_msg("%s: end %d", course->name, restore_end(restore));
		restore_free(restore);
	}
}

static void keeps_the_last_position_as_it_was_encoded(void **state _unused_) {
	struct event events[EVENTS_MAX] = { POSITION_AT(9, 5, 0, STORE), RECORD_AT(11) };
	struct restore *restore = begun(false, 5);

	assert_null(play(restore, events));
	assert_string_equal(restore->position.data, "encoded");
	assert_int_equal(restore->unwritten, 2);
	assert_int_equal(restore->next_offset, 12);
	restore_begin_again(restore, SOURCE + 1);
	assert_int_equal(restore->position.len, 0);
	assert_int_equal(restore->unwritten, 0);
	assert_int_equal(restore->next_offset, 0);
	assert_int_equal(restore->verify_offset, -1);
	assert_int_equal(restore->source, SOURCE + 1);
	assert_int_equal(restore_state(restore), RESTORE_STARTING);
	restore_free(restore);
}

static void a_record_of_another_kind_may_tear_it(void **state _unused_) {
	struct restore *restore = begun(true, 0);

	restore_set_torn(restore, "a changelog record cannot be decoded");
	assert_int_equal(restore_state(restore), RESTORE_TORN);
	assert_int_equal(restore_end(restore), RESTORE_END_TORN);
	assert_false(restore_wants(restore, 5));
	restore_free(restore);
}

/* Takeover: the restore meets the first open transaction at now_ms. */

static const struct {
	const char *name;
	bool from_scratch; /* then no worker has written yet */
	struct event events[EVENTS_MAX];
	const char *own_id, *put_off_id; /* NULL: not put off */
	int64_t put_off_ms, asked_ms;    /* after now_ms */
	const char *dead_writer;         /* NULL: none */
} takeovers[] = {
	{ "a commit's markers take a moment",
	  false,
	  { END_AT(15) },
	  "worker-1",
	  NULL,
	  0,
	  99,
	  NULL },
	{ "a transaction stays open", false, { END_AT(15) }, "worker-1", NULL, 0, 100, "worker-2" },
	{ "the transaction would be this worker's",
	  false,
	  { END_AT(15) },
	  "worker-2",
	  NULL,
	  0,
	  100,
	  NULL },
	{ "no worker has written yet", true, { END_AT(15) }, "worker-1", NULL, 0, 100, NULL },
	{ "no end was met", false, { RECORD_AT(15) }, "worker-1", NULL, 0, 100, NULL },
	{ "the end was met", false, { END_AT(20) }, "worker-1", NULL, 0, 100, NULL },
	{ "the transaction has ended",
	  false,
	  { END_AT(15), RECORD_AT(16) },
	  "worker-1",
	  NULL,
	  0,
	  100,
	  NULL },
	{ "the next transaction is open",
	  false,
	  { END_AT(15), RECORD_AT(16), END_AT(18) },
	  "worker-1",
	  NULL,
	  0,
	  100,
	  "worker-2" },
	{ "put off", false, { END_AT(15) }, "worker-1", "worker-2", 1000, 999, NULL },
	{ "put off until now",
	  false,
	  { END_AT(15) },
	  "worker-1",
	  "worker-2",
	  1000,
	  1000,
	  "worker-2" },
	{ "another worker's is put off",
	  false,
	  { END_AT(15) },
	  "worker-1",
	  "worker-3",
	  1000,
	  999,
	  "worker-2" },
	{ "put off while nothing holds it",
	  false,
	  { RECORD_AT(15) },
	  "worker-1",
	  "worker-2",
	  0,
	  100,
	  NULL },
};

static void open_transactions_of_the_dead_are_found(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(takeovers); i++) {
		struct restore *restore = begun(takeovers[i].from_scratch, 5);
		const char *found;

		restore->verify_offset = NEVER;
		assert_null(play(restore, takeovers[i].events));
		if (takeovers[i].put_off_id)
			restore_put_off_takeover(restore, takeovers[i].put_off_id,
						 now_ms + takeovers[i].put_off_ms);
		found = restore_find_dead_writer(restore, takeovers[i].own_id,
						 now_ms + takeovers[i].asked_ms);
		if (!is_same_text(found, takeovers[i].dead_writer))
			fail_msg("%s: %s", takeovers[i].name, found ? found : "none");
		restore_free(restore);
	}
}

static void the_last_writer_is_the_dead_one(void **state _unused_) {
	struct position position = position_of(STORE, 6, 0);
	struct restore_record record = {
		.offset = 12, .is_position = true, .position = &position, .value = "", .len = 0
	};
	struct restore *restore = begun(false, 5);

	position.member_id = "worker-3";
	assert_null(restore_take_record(restore, &record, now_ms));
	restore_take_end(restore, 15, now_ms);
	assert_string_equal(restore_find_dead_writer(restore, "worker-1", now_ms + 100),
			    "worker-3");
	restore_free(restore);
}

/* A restore that makes no progress. */

enum { THREE_MINUTES_MS = 180 * 1000 };

static const struct {
	const char *name;
	int64_t record_ms, told_ms, asked_ms; /* after now_ms; NEVER */
	bool is_stuck;
} waits[] = {
	{ "three minutes without a record", NEVER, NEVER, THREE_MINUTES_MS, false },
	{ "more than three minutes without a record", NEVER, NEVER, THREE_MINUTES_MS + 1, true },
	{ "a record came meanwhile", 1, NEVER, THREE_MINUTES_MS + 1, false },
	{ "told already", NEVER, THREE_MINUTES_MS + 1, THREE_MINUTES_MS + 2, false },
	{ "told three minutes ago", NEVER, THREE_MINUTES_MS + 1, 2 * THREE_MINUTES_MS + 2, true },
};

static void a_restore_without_progress_is_told_of_once(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		struct restore *restore = begun(true, 0);
		struct restore_record record = { .offset = 0 };

		if (waits[i].record_ms != NEVER)
			assert_null(
			    restore_take_record(restore, &record, now_ms + waits[i].record_ms));
		if (waits[i].told_ms != NEVER)
			assert_true(restore_is_stuck(restore, now_ms + waits[i].told_ms));
		if (restore_is_stuck(restore, now_ms + waits[i].asked_ms) != waits[i].is_stuck)
			fail_msg("%s", waits[i].name);
		restore_free(restore);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_where_the_replica_stands),
		cmocka_unit_test(reads_up_to_the_target),
		cmocka_unit_test(records_are_judged),
		cmocka_unit_test(keeps_the_last_position_as_it_was_encoded),
		cmocka_unit_test(a_record_of_another_kind_may_tear_it),
		cmocka_unit_test(open_transactions_of_the_dead_are_found),
		cmocka_unit_test(the_last_writer_is_the_dead_one),
		cmocka_unit_test(a_restore_without_progress_is_told_of_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
