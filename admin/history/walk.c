#include "history/walk.h"

#include "history/key.h"
#include "history/place.h"

/* The state that a query asks for and that an index knows. */
static bool has_state(const struct history_query *query) {
	return query->has_status && query->status != HISTORY_SUCCEEDED;
}

static bool has_answer(const struct history_query *query) {
	return query->http_status >= 300;
}

static struct walk by_text(enum read_statement statement, const struct history_query *query,
			   const char *text) {
	return (struct walk){ .statement = statement,
			      .is_bucketed = true,
			      .key = key_of_text(query->tenant_id, text) };
}

static struct walk by_webhook(const struct history_query *query) {
	struct walk walk = { .statement = READ_DELIVERIES_OF_WEBHOOK, .uuid = &query->webhook_id };

	if (has_state(query)) {
		walk.statement = READ_DELIVERIES_OF_WEBHOOK_STATUS;
		walk.state = query->status;
	} else if (has_answer(query)) {
		walk.statement = READ_DELIVERIES_OF_WEBHOOK_ANSWER;
		walk.state = query->http_status;
	}
	return walk;
}

struct walk walk_of_deliveries(const struct history_query *query) {
	if (query->has_event_id)
		return (struct walk){ .statement = READ_DELIVERIES_OF_EVENT,
				      .is_bucketed = true,
				      .uuid = &query->event_id };
	if (query->command_id)
		return by_text(READ_DELIVERIES_OF_COMMAND, query, query->command_id);
	if (query->subject)
		return by_text(READ_DELIVERIES_OF_SUBJECT, query, query->subject);
	if (query->has_webhook_id)
		return by_webhook(query);
	if (has_state(query))
		return (struct walk){ .statement = READ_DELIVERIES_OF_STATUS,
				      .key = query->status };
	if (has_answer(query))
		return (struct walk){ .statement = READ_DELIVERIES_OF_ANSWER,
				      .key = query->http_status };
	return (struct walk){ .statement = READ_DELIVERIES };
}

struct walk walk_of_events(const struct history_query *query) {
	if (query->command_id)
		return by_text(READ_EVENTS_OF_COMMAND, query, query->command_id);
	if (query->subject)
		return by_text(READ_EVENTS_OF_SUBJECT, query, query->subject);
	if (query->has_webhook_id && has_answer(query))
		return (struct walk){ .statement = READ_EVENTS_OF_WEBHOOK_ANSWER,
				      .key = key_of_uuid(&query->webhook_id),
				      .state = query->http_status };
	if (query->has_webhook_id)
		return (struct walk){ .statement = READ_EVENTS_OF_WEBHOOK,
				      .key = key_of_uuid(&query->webhook_id) };
	if (has_answer(query))
		return (struct walk){ .statement = READ_EVENTS_OF_ANSWER,
				      .key = query->http_status };
	return (struct walk){ .statement = READ_EVENTS };
}

/* Parameters that a statement does not have are not bound, which SQLite refuses without harm. */
static void bind_filter(sqlite3_stmt *statement, const struct walk *walk) {
	if (walk->uuid)
		bind_uuid(statement, 4, walk->uuid);
	else
		bind_int(statement, 4, walk->key);
	bind_int(statement, 5, walk->state);
}

/* Returns 1 where `fn` ended it. */
static int run_one(struct reading *reading, sqlite3_stmt *bound, walk_fn fn, void *userdata) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement = bound;
	int r;

	while ((r = reading_step(reading, statement)) == 1) {
		r = fn(userdata, statement);
		if (r)
			return r;
	}
	return r;
}

int walk_run(struct reading *reading, const struct walk *walk, const struct history_query *query,
	     walk_fn fn, void *userdata) {
	sqlite3_stmt *statement = reading_statement(reading, walk->statement);
	int64_t before = MIN(query->before, place_of_time(query->to_ms)),
		from = place_of_time(query->from_ms), newest = MIN(before, reading->newest),
		oldest = MAX(from, reading->oldest);
	int r = 0;

	bind_int(statement, 1, reading->tenant);
	bind_int(statement, 2, before);
	bind_int(statement, 3, from);
	bind_filter(statement, walk);
	if (!walk->is_bucketed)
		return MIN(run_one(reading, statement, fn, userdata), 0);
	for (int64_t bucket = place_bucket(newest); !r && bucket >= place_bucket(oldest);
	     bucket--) {
		bind_int(statement, 5, bucket);
		r = run_one(reading, statement, fn, userdata);
	}
	return MIN(r, 0);
}

/* Returns 1 where it is found in the bucket. */
static int find_in(struct reading *reading, struct arena *arena, enum read_statement which,
		   int64_t bucket, const struct uuid *event_id, const char **out) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement = reading_statement(reading, which);
	int r;

	bind_int(statement, 1, reading->tenant);
	bind_int(statement, 2, bucket);
	bind_uuid(statement, 3, event_id);
	r = reading_step(reading, statement);
	if (r == 1)
		*out = arena_strdup(arena, column_text(statement, 0));
	return r;
}

int walk_find_command(struct reading *reading, struct arena *arena, const struct uuid *event_id,
		      const char **out) {
	int r = 0;

	*out = NULL;
	for (int64_t bucket = place_bucket(reading->newest);
	     !r && bucket >= place_bucket(reading->oldest); bucket--) {
		r = find_in(reading, arena, READ_COMMAND_OF_EVENT, bucket, event_id, out);
		if (!r)
			r = find_in(reading, arena, READ_COMMAND_OF_PUBLISHED, bucket, event_id,
				    out);
	}
	return MIN(r, 0);
}
