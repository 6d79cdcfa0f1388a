/* The oldest leave. */
#include "history/internal.h"
#include "history/place.h"
#include "history/statistics.h"

enum { PRUNE_ROWS = 5000, ROW_BYTES_MIN = 200 };

/* The place in the first column of the only row; INT64_MAX without one. */
static int read_place(struct history *history, enum write_statement statement, int64_t *out) {
	_cleanup_(statement_resetp) sqlite3_stmt *read = history_statement(history, statement);
	int r = history_step(history, read);

	*out = r == 1 && sqlite3_column_type(read, 0) != SQLITE_NULL ? sqlite3_column_int64(read, 0)
								     : INT64_MAX;
	return MIN(r, 0);
}

/* Deletes the events before the place. A delivery leaves with its last event. */
static int prune_before(struct history *history, int64_t place, int64_t now_ms) {
	static const enum write_statement deletions[] = { WRITE_PRUNE_DELIVERIES,
							  WRITE_PRUNE_EVENTS };
	int64_t since_ms = MIN(place_time_ms(place) + 1, now_ms);
	int r = history_run(history, WRITE_BEGIN);

	for (size_t i = 0; !r && i < ARRAY_LEN(deletions); i++) {
		bind_int(history_statement(history, deletions[i]), 1, place);
		r = history_run(history, deletions[i]);
	}
	if (r)
		return r;
	bind_int(history_statement(history, WRITE_PRUNED), 1, since_ms);
	r = history_run(history, WRITE_PRUNED);
	return r ? r : history_run(history, WRITE_COMMIT);
}

static int prune_attempts(struct history *history, int64_t now_ms) {
	bind_int(history_statement(history, WRITE_PRUNE_ATTEMPTS), 1,
		 statistics_first_hour(now_ms));
	return history_run(history, WRITE_PRUNE_ATTEMPTS);
}

int history_prune(struct history *history, int64_t now_ms) {
	int64_t target = place_of_time(now_ms - history->retention_ms), oldest, nth;
	int64_t excess, rows = PRUNE_ROWS;
	int r = history_commit(history);

	if (!r)
		r = prune_attempts(history, now_ms);
	if (!r)
		r = read_place(history, WRITE_OLDEST, &oldest);
	if (r)
		return r;
	excess = history_bytes(history) - history->bytes_max;
	if (excess > 0) {
		target = place_of_time(now_ms);
		rows = MIN(rows, 1 + excess / ROW_BYTES_MIN); /* no more than need be */
	}
	if (oldest >= target)
		return 0;
	bind_int(history_statement(history, WRITE_NTH_OLDEST), 1, rows);
	r = read_place(history, WRITE_NTH_OLDEST, &nth);
	if (!r)
		r = prune_before(history, MIN(target, nth), now_ms);
	return r ? r : HISTORY_E_MORE;
}
