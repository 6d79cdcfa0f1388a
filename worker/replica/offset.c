/* The changelog offset and the position that the rows of a partition reflect. */
#include "replica/row.h"

int replica_offset_get(struct replica *replica, int32_t partition, int64_t *offset,
		       int64_t *stored_at_ms) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    replica_statement(replica, STATEMENT_OFFSET_GET);
	int r;

	*offset = -1;
	*stored_at_ms = 0;
	bind_int(statement, 1, partition);
	r = row_step(replica, statement);
	if (r <= 0)
		return r;
	*offset = sqlite3_column_int64(statement, 0);
	*stored_at_ms = sqlite3_column_int64(statement, 1);
	return 0;
}

int replica_offset_set(struct replica *replica, int32_t partition, int64_t offset, int64_t now_ms) {
	sqlite3_stmt *statement = replica_statement(replica, STATEMENT_OFFSET_SET);

	bind_int(statement, 1, partition);
	bind_int(statement, 2, offset);
	bind_int(statement, 3, now_ms);
	return row_run(replica, statement);
}

int replica_position_get(struct replica *replica, int32_t partition, struct position *out,
			 struct arena *arena) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    replica_statement(replica, STATEMENT_POSITION_GET);
	struct state_record record;
	int r;

	bind_int(statement, 1, partition);
	r = row_step(replica, statement);
	if (r < 0)
		return r;
	if (r == 0)
		return REPLICA_E_NOT_FOUND;
	r = row_decode(replica, arena, statement, 0, STATE_POSITION, &record);
	if (r)
		return r;
	*out = record.position;
	return 0;
}
