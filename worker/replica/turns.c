/* Turns, the commits that gather them, and transactions without turns. */
#include "base/invariant.h"
#include "replica/row.h"

#include <errno.h>

enum { GATHER_MS = 3000, QUIET_MS = 20, UNFLUSHED_MAX = 8 * 1024 * 1024 };

static int run_statement(struct replica *replica, enum statement statement) {
	return row_run(replica, replica_statement(replica, statement));
}

static bool in_transaction(const struct replica *replica) {
	return !sqlite3_get_autocommit(replica->db);
}

/*
 * An error, as a full disk, can make SQLite undo all gathered turns by itself. The next turn must
 * not build on the rest, and a commit of the rest would claim the missing turns.
 */
static int check_usable(const struct replica *replica) {
	return replica->failed ? -EIO : 0;
}

int replica_turn_begin(struct replica *replica, int64_t now_ms) {
	int r = check_usable(replica);

	invariant(!replica->in_turn, "a turn ends, or is rolled back, before the next one begins");
	invariant(!replica->is_filling, "a turn needs the journal that it is rolled back by (R9)");
	if (!r && !replica->is_gathering)
		r = run_statement(replica, STATEMENT_BEGIN);
	if (r)
		return r;
	if (!replica->is_gathering)
		replica->gather_since_ms = now_ms;
	replica->is_gathering = true;
	r = run_statement(replica, STATEMENT_TURN_BEGIN);
	replica->in_turn = r == 0;
	return r;
}

int replica_turn_end(struct replica *replica, int64_t now_ms) {
	int r = check_usable(replica);

	if (!r)
		r = run_statement(replica, STATEMENT_TURN_END);
	replica->in_turn = r != 0;
	if (r == 0)
		unflushed_turn_end(replica->unflushed);
	replica->turn_ended_ms = now_ms;
	return r;
}

bool replica_is_due(const struct replica *replica, int64_t now_ms) {
	return replica->is_gathering && (now_ms - replica->gather_since_ms >= GATHER_MS ||
					 now_ms - replica->turn_ended_ms >= QUIET_MS ||
					 unflushed_bytes(replica->unflushed) >= UNFLUSHED_MAX);
}

int replica_flush(struct replica *replica) {
	int r = check_usable(replica);

	if (r || !replica->is_gathering)
		return r;
	invariant(!replica->in_turn, "SQLite commits no turn before Kafka has (R7)");
	r = replica_write_unflushed(replica);
	if (r)
		return r;
	replica->is_gathering = false;
	return run_statement(replica, STATEMENT_COMMIT);
}

int replica_begin(struct replica *replica) {
	int r = replica_flush(replica);

	return r ? r : run_statement(replica, STATEMENT_BEGIN);
}

int replica_commit(struct replica *replica) {
	int r = check_usable(replica);

	return r ? r : run_statement(replica, STATEMENT_COMMIT);
}

static int undo_turn(struct replica *replica) {
	int r = run_statement(replica, STATEMENT_TURN_UNDO);

	return r ? r : run_statement(replica, STATEMENT_TURN_END);
}

void replica_rollback(struct replica *replica) {
	bool in_turn = replica->in_turn;
	int r = 0;

	replica->in_turn = false;
	subscriber_cache_clear(replica->subscribers);
	absent_ids_clear(&replica->absent);
	if (in_turn)
		unflushed_rollback(replica->unflushed);
	replica->damaged |= replica->is_filling; /* without a journal there is no rollback */
	/* Some errors end the transaction by themselves. */
	if (!in_transaction(replica))
		replica->is_gathering = false;
	else if (in_turn)
		r = undo_turn(replica);
	else if (!replica->is_gathering)
		r = run_statement(replica, STATEMENT_ROLLBACK);
	if (r < 0)
		replica->damaged = true;
}
