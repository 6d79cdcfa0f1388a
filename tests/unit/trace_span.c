/* Spans in OTLP's JSON, and the ids that bind them together. */
#include "trace/span.h"
#include "unit.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static void a_traceparent_is_sampled_by_its_last_bit(void **state _unused_) {
	static const struct {
		const char *text;
		bool is_sampled;
	} rows[] = {
		{ "00-" TRACE "-" PARENT "-01", true },
		{ "00-" TRACE "-" PARENT "-03", true },
		{ "00-" TRACE "-" PARENT "-00", false },
		{ "00-" TRACE "-" PARENT "-02", false },
		{ "01-" TRACE "-" PARENT "-01", false },
		{ "00-" TRACE "-" PARENT "-0g", false },
		{ "00-00000000000000000000000000000000-" PARENT "-01", false },
		{ "00-" TRACE "-0000000000000000-01", false },
		{ "00-00000000000000000000000000000001-0000000000000001-01", true },
		{ "00-" TRACE "-" PARENT "-01-x", false },
		{ "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01", false },
		{ "", false },
		{ NULL, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(traceparent_is_sampled(rows[i].text), rows[i].is_sampled);
}

static void a_commands_span_is_the_same_for_all_who_name_it(void **state _unused_) {
	const char *traceparent = "00-" TRACE "-" PARENT "-01";
	struct span_ref first = span_ref_of_command(traceparent, "acme", "c-1");
	struct span_ref again = span_ref_of_command(traceparent, "acme", "c-1");
	struct span_ref other = span_ref_of_command(traceparent, "acm", "ec-1");
	struct span_ref beside = span_ref_beside(&first);

	assert_string_equal(first.trace_id, TRACE);
	assert_string_equal(first.id, again.id);
	assert_string_not_equal(first.id, other.id);
	assert_string_equal(beside.trace_id, TRACE);
	assert_string_not_equal(beside.id, first.id);
	assert_int_equal(strlen(beside.id), SPAN_ID_LEN);
}

static void a_span_has_the_form_of_the_protocol(void **state _unused_) {
	const struct span_ref link = { "11111111111111111111111111111111", "2222222222222222" };
	struct span span = { .ref = { TRACE, "00f067aa0ba902b7" },
			     .parent_id = PARENT,
			     .name = "say \"POST\"",
			     .kind = SPAN_CLIENT,
			     .started_us = 1700000000000001,
			     .ended_us = 1700000000000002,
			     .error = "timeout",
			     .links = &link,
			     .link_count = 1 };
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(4096);

	span_text(&span, "posthorn.tenant", "a\nb");
	span_text(&span, "error.type", NULL);
	span_number(&span, "server.port", 443);
	span_append_json(&out, &span);
	assert_string_equal(out.data,
			    "{\"traceId\":\"" TRACE
			    "\",\"spanId\":\"00f067aa0ba902b7\",\"parentSpanId\":\"" PARENT
			    "\",\"name\":\"say \\\"POST\\\"\",\"kind\":3,"
			    "\"startTimeUnixNano\":\"1700000000000001000\","
			    "\"endTimeUnixNano\":\"1700000000000002000\","
			    "\"attributes\":[{\"key\":\"posthorn.tenant\",\"value\":{"
			    "\"stringValue\":\"a\\u000ab\"}},"
			    "{\"key\":\"server.port\",\"value\":{\"intValue\":\"443\"}}],"
			    "\"links\":[{\"traceId\":\"11111111111111111111111111111111\","
			    "\"spanId\":\"2222222222222222\"}],"
			    "\"status\":{\"code\":2,\"message\":\"timeout\"}}");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_traceparent_is_sampled_by_its_last_bit),
		cmocka_unit_test(a_commands_span_is_the_same_for_all_who_name_it),
		cmocka_unit_test(a_span_has_the_form_of_the_protocol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
