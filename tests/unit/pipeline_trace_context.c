/* Which trace a record belongs to, by its headers. */
#include "pipeline/trace_context.h"
#include "rdkafka/headers.h"
#include "unit.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"
#define SAMPLED "00-" TRACE "-" PARENT "-01"
#define ZEROS "0000000000000000"
#define HUNDRED "a=" FIFTY FIFTY "12345678"
#define FIFTY "123456789012345678901234567890123456789012345"

/* The message's; only a consumer could make one with headers. */
static rd_kafka_headers_t *list;

rd_kafka_resp_err_t __wrap_rd_kafka_message_headers(const rd_kafka_message_t *message,
						    rd_kafka_headers_t **out);

rd_kafka_resp_err_t __wrap_rd_kafka_message_headers(const rd_kafka_message_t *message _unused_,
						    rd_kafka_headers_t **out) {
	*out = list;
	return list ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR__NOENT;
}

/* As assert_string_equal, for texts that may be NULL. */
static void expect(const char *name, const char *found, const char *wanted) {
	if (found && wanted ? strcmp(found, wanted) != 0 : found != wanted)
		fail_msg("%s: %s instead of %s", name, found ? found : "none",
			 wanted ? wanted : "none");
}

static struct trace_context read_from(struct arena *arena, const char *const *texts) {
	rd_kafka_message_t message = { 0 };
	struct headers headers = { 0 };
	struct trace_context context;

	for (size_t i = 0; texts[i]; i += 2)
		headers_add(&headers, texts[i], texts[i + 1], -1);
	list = headers.list;
	context = trace_context_read(arena, &message);
	if (list)
		rd_kafka_headers_destroy(list);
	return context;
}

static void a_context_is_read_or_left(void **state _unused_) {
	static const struct {
		const char *name;
		const char *headers[13]; /* names and values */
		const char *traceparent, *tracestate;
	} rows[] = {
		{ "none", { NULL }, NULL, NULL },
		{ "both", { "traceparent", SAMPLED, "tracestate", "a=1" }, SAMPLED, "a=1" },
		{ "a state alone", { "tracestate", "a=1" }, NULL, NULL },
		{ "the last of two",
		  { "traceparent", "x", "traceparent", SAMPLED },
		  SAMPLED,
		  NULL },
		{ "no trace's id",
		  { "traceparent", "00-" ZEROS ZEROS "-" PARENT "-01", "tracestate", "a=1" },
		  NULL,
		  NULL },
		{ "no parent's id", { "traceparent", "00-" TRACE "-" ZEROS "-01" }, NULL, NULL },
		{ "a list in three headers",
		  { "traceparent", SAMPLED, "tracestate", "a=1", "x", "y", "tracestate", "",
		    "tracestate", "b=2,c=3" },
		  SAMPLED,
		  "a=1,b=2,c=3" },
		{ "a tab between members",
		  { "traceparent", SAMPLED, "tracestate", "a=1,\tb=2" },
		  SAMPLED,
		  "a=1,\tb=2" },
		{ "a line's end",
		  { "traceparent", SAMPLED, "tracestate", "a=1\r\nx: y" },
		  SAMPLED,
		  NULL },
		{ "no ASCII",
		  { "traceparent", SAMPLED, "tracestate", "a=\xc3\xa4" },
		  SAMPLED,
		  NULL },
		{ "504 characters in five headers",
		  { "traceparent", SAMPLED, "tracestate", HUNDRED, "tracestate", HUNDRED,
		    "tracestate", HUNDRED, "tracestate", HUNDRED, "tracestate", HUNDRED },
		  SAMPLED,
		  HUNDRED "," HUNDRED "," HUNDRED "," HUNDRED "," HUNDRED },
		{ "too many",
		  { "traceparent", SAMPLED, "tracestate", HUNDRED HUNDRED HUNDRED, "tracestate",
		    HUNDRED HUNDRED HUNDRED },
		  SAMPLED,
		  NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		struct trace_context context = read_from(arena, rows[i].headers);

		expect(rows[i].name, context.traceparent, rows[i].traceparent);
		expect(rows[i].name, context.tracestate, rows[i].tracestate);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_context_is_read_or_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
