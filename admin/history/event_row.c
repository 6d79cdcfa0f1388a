#include "history/event_row.h"

#include "base/log.h"
#include "history/event_value.h"

bool event_row_read(const struct reading *reading, sqlite3_stmt *statement,
		    const struct delivery_row *delivery, struct arena *arena,
		    struct analytic_event *out) {
	const struct event_value_row row = {
		.tenant_id = reading->tenant_id,
		.command_id = column_text(statement, EVENT_COMMAND_ID),
		.delivery = delivery,
		.value = sqlite3_column_blob(statement, EVENT_VALUE),
		.len = (size_t)sqlite3_column_bytes(statement, EVENT_VALUE),
	};

	arena_reset(arena);
	if (event_value_decode(reading->history->codec, arena, &row, out) == 0)
		return true;
	log_warn("a row of the history cannot be read", "place=%lld",
		 (long long)sqlite3_column_int64(statement, EVENT_PLACE));
	return false;
}
