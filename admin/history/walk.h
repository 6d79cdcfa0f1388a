/* Which rows a query looks at: those of one index, bucket by bucket where that has them. */
#pragma once

#include "history/filter.h"
#include "history/reading.h"

struct walk {
	enum read_statement statement;
	bool is_bucketed;
	const struct uuid *uuid; /* ?4, where it is a UUID; borrowed */
	int64_t key;             /* else ?4, where the index knows one */
	int64_t state;           /* ?5, of an index of a webhook and a state; else 0 */
};

/* The index that leaves the fewest rows: a text or an id before a webhook, and a webhook before a
 * state. */
struct walk walk_of_deliveries(const struct history_query *query);
/* A query by an event asks by the event's command. */
struct walk walk_of_events(const struct history_query *query);

/* Called for each row, in order. Returns 1 to end the walk, 0 to go on, or a negative errno. */
typedef int (*walk_fn)(void *userdata, sqlite3_stmt *row);
/* Walks the rows between the query's times and its cursor. Returns 0, or a negative errno after
 * logging. */
int walk_run(struct reading *reading, const struct walk *walk, const struct history_query *query,
	     walk_fn fn, void *userdata) _must_check_;

/* Finds the command that the event of this id came from: in the arena, or NULL. Returns 0 or a
 * negative errno after logging. */
int walk_find_command(struct reading *reading, struct arena *arena, const struct uuid *event_id,
		      const char **out) _must_check_;
