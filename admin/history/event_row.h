/* A row of READ_EVENTS* or READ_FAILURES as an event. */
#pragma once

#include "history/delivery_row.h"
#include "history/reading.h"

/* Reads it into the arena, which is emptied first, and borrows from the row. `delivery`: as the row
 * has it; NULL: none. Returns false, after logging, where the row cannot be read. */
bool event_row_read(const struct reading *reading, sqlite3_stmt *statement,
		    const struct delivery_row *delivery, struct arena *arena,
		    struct analytic_event *out) _must_check_;
