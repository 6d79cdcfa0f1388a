#include "gateway/event_index.h"
#include "unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 512, BEGUN_MS = 1000 };

/* An event's command id is its offset, which an answer is read by. */
static void add(struct event_index *index, const char *tenant_id, int64_t offset,
		int64_t timestamp_ms, enum analytic_step step, const char *message) {
	char command_id[32];
	const struct problem problem = {
		.status = 400, .message = message, .code = "BadRequest", .type = "request"
	};
	struct analytic_event event = { .subject = ANALYTIC_WEBHOOK_CREATE,
					.step = step,
					.timestamp_ms = timestamp_ms,
					.tenant_id = tenant_id,
					.command_id = command_id };

	snprintf(command_id, sizeof(command_id), "%" PRId64, offset);
	if (message)
		event.data = (struct event_data){ .kind = EVENT_DATA_PROBLEM, .problem = &problem };
	event_index_add(index, &event, offset);
}

/* The offsets of an answer, and its cursor behind a "+". */
static void summarise(const char *answer, char out[TEXT_MAX]) {
	static const char id[] = "\"commandId\":\"", cursor[] = "\"nextCursor\":\"";
	const char *at = answer;
	size_t len = 0;

	out[0] = '\0';
	while ((at = strstr(at, id))) {
		at += sizeof(id) - 1;
		len += (size_t)snprintf(out + len, TEXT_MAX - len, "%.*s ", (int)strcspn(at, "\""),
					at);
	}
	at = strstr(answer, cursor);
	if (at)
		snprintf(out + len, TEXT_MAX - len, "+%.*s",
			 (int)strcspn(at + sizeof(cursor) - 1, "\""), at + sizeof(cursor) - 1);
}

static struct event_query query_of(const char *tenant_id) {
	return (struct event_query){
		.tenant_id = tenant_id, .to_ms = INT64_MAX, .before = INT64_MAX, .limit = 1000
	};
}

static void ask(struct event_index *index, const struct event_query *query, struct buffer *out) {
	*out = BUFFER_INIT(EVENT_PAGE_BYTES_MAX);
	event_index_query(index, query, out);
	assert_false(out->overflowed);
}

/* Tenant "t" has 10 and 20 at 1100, 30 at 1200, 40 at 1300; "u" has 15 at 1100. */
static struct event_index *filled(void) {
	struct event_index *index = event_index_new(BEGUN_MS);

	add(index, "t", 10, 1100, ANALYTIC_START, NULL);
	add(index, "u", 15, 1100, ANALYTIC_START, NULL);
	add(index, "t", 20, 1100, ANALYTIC_SUCCESS, NULL);
	add(index, "t", 30, 1200, ANALYTIC_START, NULL);
	add(index, "t", 40, 1300, ANALYTIC_FAIL, "no");
	return index;
}

static const struct {
	const char *name, *tenant, *type;
	int64_t from_ms, to_ms, before; /* to_ms and before: 0 is none */
	size_t limit;
	const char *found;
} queries[] = {
	{ "the newest first", "t", NULL, 0, 0, 0, 100, "40 30 20 10 " },
	{ "of the tenant only", "u", NULL, 0, 0, 0, 100, "15 " },
	{ "of nobody", "v", NULL, 0, 0, 0, 100, "" },
	{ "of the beginning of a name", "", NULL, 0, 0, 0, 100, "" },
	{ "exactly all", "t", NULL, 0, 0, 0, 4, "40 30 20 10 " },
	{ "one less", "t", NULL, 0, 0, 0, 3, "40 30 20 +20" },
	{ "one", "t", NULL, 0, 0, 0, 1, "40 +40" },
	{ "behind a cursor", "t", NULL, 0, 0, 40, 2, "30 20 +20" },
	{ "the last page", "t", NULL, 0, 0, 20, 2, "10 " },
	{ "behind the last", "t", NULL, 0, 0, 10, 2, "" },
	{ "a cursor whose event is gone", "t", NULL, 0, 0, 25, 1, "20 +20" },
	{ "a type", "t", "WEBHOOK_CREATE_START", 0, 0, 0, 100, "30 10 " },
	{ "a type, a page", "t", "WEBHOOK_CREATE_START", 0, 0, 0, 1, "30 +30" },
	{ "no more of the type", "t", "WEBHOOK_CREATE_FAIL", 0, 0, 0, 1, "40 " },
	{ "types", "t", "*_S*", 0, 0, 0, 100, "30 20 10 " },
	{ "any type", "t", "*", 0, 0, 0, 100, "40 30 20 10 " },
	{ "a part of a type", "t", "WEBHOOK_CREATE", 0, 0, 0, 100, "" },
	{ "from, that time included", "t", NULL, 1200, 0, 0, 100, "40 30 " },
	{ "from, a millisecond later", "t", NULL, 1201, 0, 0, 100, "40 " },
	{ "to, that time not included", "t", NULL, 0, 1200, 0, 100, "20 10 " },
	{ "to, a millisecond later", "t", NULL, 0, 1201, 0, 100, "30 20 10 " },
	{ "from and to", "t", NULL, 1100, 1101, 0, 100, "20 10 " },
	{ "from and to the same", "t", NULL, 1100, 1100, 0, 100, "" },
	{ "to before from", "t", NULL, 1300, 1100, 0, 100, "" },
};

static void queries_find_their_events(void **state _unused_) {
	_cleanup_(event_index_freep) struct event_index *index = filled();

	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		_cleanup_(buffer_destroy) struct buffer answer;
		struct event_query query = query_of(queries[i].tenant);
		char found[TEXT_MAX];

		query.type = queries[i].type;
		query.from_ms = queries[i].from_ms;
		query.to_ms = queries[i].to_ms ? queries[i].to_ms : INT64_MAX;
		query.before = queries[i].before ? queries[i].before : INT64_MAX;
		query.limit = queries[i].limit;
		ask(index, &query, &answer);
		summarise(answer.data, found);
		if (strcmp(found, queries[i].found) != 0)
			fail_msg("%s: %s", queries[i].name, found);
		assert_non_null(
		    strstr(answer.data, "\"completeSince\":\"1970-01-01T00:00:01.000Z\"}"));
	}
}

static char *text_of(size_t len) {
	char *text = x_calloc(1, len + 1);

	memset(text, 'x', len);
	return text;
}

/* Too large with its data: kept without. Too large without: not kept. */
static void a_large_event_loses_its_data(void **state _unused_) {
	_cleanup_(event_index_freep) struct event_index *index = event_index_new(BEGUN_MS);
	_cleanup_(x_freep) char *large = text_of(EVENT_BYTES_MAX),
				*fits = text_of(EVENT_BYTES_MAX - 1024);
	_cleanup_(buffer_destroy) struct buffer kept, none;
	struct event_query query = query_of("t");
	size_t bytes;

	add(index, "t", 1, 1100, ANALYTIC_FAIL, fits);
	bytes = event_index_bytes(index);
	assert_in_range(bytes, EVENT_BYTES_MAX - 1024, EVENT_BYTES_MAX + 1024);
	add(index, "t", 2, 1100, ANALYTIC_FAIL, large);
	assert_in_range(event_index_bytes(index), bytes + 1, bytes + 1024);
	ask(index, &query, &kept);
	assert_non_null(strstr(kept.data, "\"commandId\":\"2\""));
	assert_non_null(strstr(kept.data, "\"data\":null"));
	bytes = event_index_bytes(index);
	add(index, large, 3, 1100, ANALYTIC_START, NULL);
	assert_int_equal(event_index_bytes(index), bytes);
	query.tenant_id = large;
	ask(index, &query, &none);
	assert_null(strstr(none.data, "commandId"));
}

/* A page ends before it is too large; the pages together are all there is. */
static void large_pages_end_early(void **state _unused_) {
	enum { COUNT = 100 };
	_cleanup_(event_index_freep) struct event_index *index = event_index_new(BEGUN_MS);
	_cleanup_(x_freep) char *large = text_of(EVENT_BYTES_MAX - 1024);
	struct event_query query = query_of("t");
	size_t pages = 0, count = 0;

	for (int64_t offset = 1; offset <= COUNT; offset++)
		add(index, "t", offset, 1100, ANALYTIC_FAIL, large);
	while (query.before > 1) {
		_cleanup_(buffer_destroy) struct buffer answer;
		char found[TEXT_MAX], *cursor;

		ask(index, &query, &answer);
		summarise(answer.data, found);
		cursor = strchr(found, '+');
		for (const char *at = found; (at = strchr(at, ' ')); at++)
			count++;
		query.before = cursor ? strtoll(cursor + 1, NULL, 10) : 1;
		pages++;
	}
	assert_int_equal(count, COUNT);
	assert_int_equal(pages, 4);
}

static const char *complete_since(struct event_index *index, const char *tenant_id,
				  struct buffer *answer) {
	const struct event_query query = query_of(tenant_id);

	ask(index, &query, answer);
	return strstr(answer->data, "\"completeSince\"");
}

/* Over a tenant's bound its own oldest go, and its answers say so; no other tenant's. */
static void a_tenant_over_its_bound_loses_its_oldest(void **state _unused_) {
	_cleanup_(event_index_freep) struct event_index *index = event_index_new(BEGUN_MS);
	_cleanup_(x_freep) char *large = text_of(EVENT_BYTES_MAX - 1024);
	_cleanup_(buffer_destroy) struct buffer theirs, others, nobodys;
	struct event_query query = query_of("t");
	size_t each, most;

	add(index, "u", 1, 1500, ANALYTIC_START, NULL);
	each = event_index_bytes(index);
	add(index, "t", 1000, 2000, ANALYTIC_FAIL, large);
	most = EVENT_INDEX_TENANT_BYTES_MAX / (event_index_bytes(index) - each);
	for (size_t i = 1; i < most; i++)
		add(index, "t", 1000 + (int64_t)i, 2000 + (int64_t)i, ANALYTIC_FAIL, large);
	assert_non_null(strstr(complete_since(index, "t", &theirs), "00:00:01.000Z"));
	buffer_destroy(&theirs);
	add(index, "t", 1000 + (int64_t)most, 2000 + (int64_t)most, ANALYTIC_FAIL, large);
	assert_non_null(strstr(complete_since(index, "t", &theirs), "00:00:02.001Z"));
	assert_non_null(strstr(complete_since(index, "u", &others), "00:00:01.000Z"));
	assert_non_null(strstr(complete_since(index, "nobody", &nobodys), "00:00:01.000Z"));
	assert_true(event_index_bytes(index) <= EVENT_INDEX_TENANT_BYTES_MAX + each);
	query.before = 1001;
	buffer_destroy(&theirs);
	ask(index, &query, &theirs);
	assert_null(strstr(theirs.data, "commandId"));
}

/* Over the bound of all, the oldest of all go. Of a tenant that has none left nothing is known
 * before its last one. */
static void over_the_bound_of_all_the_oldest_go(void **state _unused_) {
	_cleanup_(event_index_freep) struct event_index *index = event_index_new(BEGUN_MS);
	_cleanup_(x_freep) char *large = text_of(EVENT_BYTES_MAX - 1024);
	_cleanup_(buffer_destroy) struct buffer oldest, newest, nobodys;
	size_t before = 0, bytes;
	char tenant[16];

	add(index, "oldest", 1, 1500, ANALYTIC_START, NULL);
	/* Until something goes. */
	for (size_t i = 0;
	     (bytes = event_index_bytes(index)) > before + EVENT_BYTES_MAX / 2 || i < 2; i++) {
		before = bytes;
		snprintf(tenant, sizeof(tenant), "t%zu", i % 16);
		add(index, tenant, 10 + (int64_t)i, 2000, ANALYTIC_FAIL, large);
	}
	assert_in_range(event_index_bytes(index), EVENT_INDEX_BYTES_MAX - EVENT_BYTES_MAX,
			EVENT_INDEX_BYTES_MAX);
	assert_non_null(strstr(complete_since(index, "oldest", &oldest), "00:00:01.501Z"));
	assert_null(strstr(oldest.data, "commandId"));
	assert_non_null(strstr(complete_since(index, "nobody", &nobodys), "00:00:01.501Z"));
	assert_non_null(strstr(complete_since(index, "t15", &newest), "00:00:01.000Z"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries_find_their_events),
		cmocka_unit_test(a_large_event_loses_its_data),
		cmocka_unit_test(large_pages_end_early),
		cmocka_unit_test(a_tenant_over_its_bound_loses_its_oldest),
		cmocka_unit_test(over_the_bound_of_all_the_oldest_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
