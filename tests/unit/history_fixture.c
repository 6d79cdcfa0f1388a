#include "history_fixture.h"

#include "base/clock.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int set_up(void **state) {
	struct fixture *f = x_calloc(1, sizeof(*f));

	strcpy(f->folder, "/tmp/posthorn.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->settings = (struct history_settings){ .data_dir = f->folder,
						 .retention_ms = INT64_C(86400000),
						 .bytes_max = INT64_C(1) << 40 };
	f->arena = arena_new();
	f->out = BUFFER_INIT(QUERY_BYTES_MAX);
	assert_int_equal(history_open(&f->settings, &f->history), 0);
	*state = f;
	return 0;
}

int tear_down(void **state) {
	static const char *const files[] = { "history.db", "history.db-wal", "history.db-shm",
					     "lock" };
	struct fixture *f = *state;

	history_closep(&f->history);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		_cleanup_(x_freep) char *path = x_asprintf("%s/%s", f->folder, files[i]);

		unlink(path);
	}
	rmdir(f->folder);
	arena_free(f->arena);
	buffer_destroy(&f->out);
	free(f);
	return 0;
}

void reopen(struct fixture *f) {
	history_closep(&f->history);
	f->history = NULL;
	assert_int_equal(history_open(&f->settings, &f->history), 0);
}

struct uuid uuid_of(uint8_t number) {
	return (struct uuid){ .bytes = { number, 1, 2, 3 } };
}

static const char *numbered(const char *what, uint8_t number) {
	static char texts[16][16];
	static size_t next;
	char *text = texts[next++ % ARRAY_LEN(texts)];

	snprintf(text, sizeof(texts[0]), "%s-%d", what, number);
	return text;
}

struct analytic_event event_of(uint8_t number, enum analytic_step step, int at_s) {
	bool is_attempt = step != ANALYTIC_RECEIVE && step != ANALYTIC_RESEND;
	int64_t at_ms = NOW_MS + at_s * INT64_C(1000);

	return (struct analytic_event){
		.id = uuid_of((uint8_t)(100 + at_s)),
		.subject = ANALYTIC_WEBHOOK_EVENT,
		.step = step,
		.timestamp_ms = at_ms,
		.tenant_id = "acme",
		.command_id = numbered("command", number),
		.data = { EVENT_DATA_DELIVERY,
			  .delivery = { .delivery_id = uuid_of(number),
					.webhook_id = uuid_of(number),
					.event_type = "DegreeRevoked",
					.attempt = is_attempt,
					.duration_ms = is_attempt ? 40 : -1,
					.has_event_id = true,
					.event_id = uuid_of(number),
					.subject = numbered("subject", number),
					.attempted_at_ms = is_attempt ? at_ms - 40 : 0 } },
	};
}

void fold_at(struct fixture *f, const struct analytic_event *event, int32_t partition,
	     int64_t offset) {
	assert_int_equal(history_fold(f->history, event, partition, offset, NOW_MS), 0);
	assert_int_equal(history_commit(f->history), 0);
}

void fold(struct fixture *f, const struct analytic_event *event) {
	fold_at(f, event, 0, f->offset++);
}

/* Cuts completeSince off. */
static const char *without_since(struct fixture *f) {
	char *since = strstr(f->out.data, ",\"completeSince\"");

	assert_non_null(since);
	strcpy(since, "}");
	for (char *at = f->out.data; *at; at++)
		*at = *at == '"' ? '\'' : *at;
	return f->out.data;
}

const char *delivery_json(struct fixture *f, const char *tenant, uint8_t number) {
	struct uuid id = uuid_of(number);
	int r;

	buffer_clear(&f->out);
	r = history_query_delivery(f->history, tenant, &id, f->arena, &f->out);
	return r == HISTORY_E_NOT_FOUND ? "not found" : r ? "failed" : without_since(f);
}

const char *deliveries_json(struct fixture *f, const struct history_query *query) {
	buffer_clear(&f->out);
	assert_int_equal(history_query_deliveries(f->history, query, &f->out), 0);
	return without_since(f);
}

struct history_query all_of(const char *tenant) {
	return (struct history_query){
		.tenant_id = tenant, .to_ms = INT64_MAX, .before = INT64_MAX, .limit = 100
	};
}

/* Replaces the answer by one text of each item's member, cut to `len` characters (0: whole). */
static const char *members(struct fixture *f, const char *name, bool is_number) {
	json_t *root = json_loads(f->out.data, 0, NULL), *data = json_object_get(root, "data"),
	       *item;
	bool is_more = json_object_get(root, "nextCursor");
	size_t i;

	assert_non_null(root);
	buffer_clear(&f->out);
	json_array_foreach(data, i, item) {
		const char *text = json_string_value(json_object_get(item, name));

		assert_non_null(text);
		buffer_append_string(&f->out, i ? " " : "");
		if (is_number)
			buffer_printf(&f->out, "%ld",
				      strtol((char[]){ text[0], text[1], 0 }, NULL, 16));
		else
			buffer_append_string(&f->out, text);
	}
	buffer_append_string(&f->out, is_more ? "+" : "");
	json_decref(root);
	return f->out.len ? f->out.data : "";
}

const char *found(struct fixture *f, const struct history_query *query) {
	buffer_clear(&f->out);
	assert_int_equal(history_query_deliveries(f->history, query, &f->out), 0);
	return members(f, "id", true);
}

const char *found_events(struct fixture *f, const struct history_query *query) {
	buffer_clear(&f->out);
	assert_int_equal(history_query_events(f->history, query, &f->out), 0);
	return members(f, "type", false);
}

int64_t complete_since(struct fixture *f, const char *tenant) {
	const struct history_query query = all_of(tenant);
	json_t *root;
	int64_t ms;

	buffer_clear(&f->out);
	assert_int_equal(history_query_deliveries(f->history, &query, &f->out), 0);
	root = json_loads(f->out.data, 0, NULL);
	assert_int_equal(
	    clock_parse_iso8601(json_string_value(json_object_get(root, "completeSince")), &ms), 0);
	json_decref(root);
	return ms == 0 ? -1 : ms - NOW_MS;
}
