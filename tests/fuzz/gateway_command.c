/*
 * A request of the API as a command: a refusal is a problem of bounded size and proper JSON, an
 * accepted request is a record that decodes to the same command.
 *
 * Lines: the operation from '0' on, the id in the path, the query, Idempotency-Key, traceparent;
 * then the body.
 */
#include "avro/json.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "gateway/command_request.h"
#include "gateway/routes.h"
#include "gateway/serve.h"
#include "unit/avro_samples.h"

#include <jansson.h>

enum { RECORD_MAX = 1024 * 1024, PROBLEM_BASE = 64 * 1024 };

static const struct config config;
static struct gateway gateway = { .config = &config };
static struct codec *codec;

static void start(void) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);

	if (!codec)
		CHECK(!codec_new(NULL, &codec, &problems));
}

/* The n-th route that sends a command. */
static const struct route *route_of(unsigned n) {
	const struct route *routes[32];
	unsigned count = 0;

	for (const struct route *route = routes_table; route->method; route++)
		if (route->handle == serve_command)
			routes[count++] = route;
	return routes[n % count];
}

static void add_header(struct http_head *head, const char *name, const char *value) {
	if (*value)
		head->fields[head->field_count++] = (struct http_header){ name, value };
}

static void check_problem(struct problem *problem, size_t size) {
	_cleanup_(buffer_destroy) struct buffer text = BUFFER_INIT(RECORD_MAX);
	struct event_data data = { .kind = EVENT_DATA_PROBLEM, .problem = problem };
	json_t *json;

	CHECK(problem->status == 400 && problem->detail_count &&
	      problem->detail_count <= PROBLEM_DETAILS_MAX);
	for (size_t i = 0; i < problem->detail_count; i++) {
		const struct problem_detail *detail = &problem->details[i];

		CHECK(*detail->msg && detail->param && *detail->location &&
		      strlen(detail->value) <= PROBLEM_VALUE_MAX);
		CHECK(utf8_is_text(detail->value, strlen(detail->value)));
	}
	json_append_api_data(&text, &data);
	CHECK(!text.overflowed && text.len <= 6 * size + PROBLEM_BASE);
	json = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	CHECK(json_array_size(json_object_get(json, "details")) == problem->detail_count);
	json_decref(json);
}

static void check_command(struct arena *arena, const struct command *command) {
	_cleanup_(buffer_destroy) struct buffer once = BUFFER_INIT(RECORD_MAX),
						twice = BUFFER_INIT(RECORD_MAX);
	struct command again;
	const char *why;

	CHECK(*command->envelope.command_id &&
	      strlen(command->envelope.command_id) <= COMMAND_ID_MAX);
	codec_encode_command(codec, command, &once);
	CHECK(!once.overflowed);
	CHECK(!codec_decode_command(codec, arena, once.data, once.len, &again, &why));
	codec_encode_command(codec, &again, &twice);
	CHECK(once.len == twice.len && !memcmp(once.data, twice.data, once.len));
}

static void check_event(struct arena *arena, const struct event_command *event) {
	_cleanup_(buffer_destroy) struct buffer once = BUFFER_INIT(RECORD_MAX),
						twice = BUFFER_INIT(RECORD_MAX);
	struct event_command again;
	const char *why;

	codec_encode_event_command(codec, event, &once);
	CHECK(!once.overflowed);
	CHECK(!codec_decode_event_command(codec, arena, once.data, once.len, &again, &why));
	codec_encode_event_command(codec, &again, &twice);
	CHECK(once.len == twice.len && !memcmp(once.data, twice.data, once.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct fuzz_input input = FUZZ_INPUT(data, size);
	_cleanup_(x_freep) char *operation = fuzz_take_line(&input), *id = fuzz_take_line(&input);
	_cleanup_(x_freep) char *query = fuzz_take_line(&input), *key = fuzz_take_line(&input),
				*parent = fuzz_take_line(&input);
	struct http_head head = { .query = query };
	struct http_request http = { .arena = arena,
				     .head = &head,
				     .body = BUFFER_INIT(GATEWAY_BODY_MAX) };
	struct exchange exchange = { .gateway = &gateway,
				     .http = &http,
				     .tenant_id = "acme",
				     .token_id = "token",
				     .request_id = "request" };
	struct problem *problem;

	start();
	/* The router lets no other id through. */
	if (!*id || !utf8_is_text(id, strlen(id)))
		return 0;
	add_header(&head, "idempotency-key", key);
	add_header(&head, "traceparent", parent);
	buffer_append(&http.body, input.at, (size_t)(input.end - input.at));
	exchange.match.route = route_of((unsigned)(unsigned char)*operation - '0');
	exchange.match.parameters[0] = strchr(exchange.match.route->pattern, '{') ? id : NULL;
	problem = command_request_read(&exchange);
	if (problem)
		check_problem(problem, size);
	else if (exchange.command.operation == OPERATION_UNKNOWN)
		check_event(arena, &exchange.event);
	else
		check_command(arena, &exchange.command);
	/* RFC 8259 section 2 has no place for a NUL byte. */
	CHECK(problem || exchange.match.route->body == ROUTE_NO_BODY || !http.body.len ||
	      !memchr(http.body.data, '\0', http.body.len));
	buffer_destroy(&http.body);
	return 0;
}
