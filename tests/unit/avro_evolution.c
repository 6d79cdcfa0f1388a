/*
 * Records written with other editions of our schemas: a row is the writer's schema, the record's
 * values in its order, and the same record as our own edition writes it, or why it is refused.
 * Schemas have ' for ", and no comma between objects; values are 'text, numbers (also union indexes
 * and counts) and #hex.
 */
#include "avro/canonical.h"
#include "avro/embedded.h"
#include "avro/fingerprint.h"
#include "avro/frame.h"
#include "avro/wire.h"
#include "avro_samples.h"
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#define RECORD(name, fields)                                                                       \
	"{'type':'record','namespace':'posthorn.v1','name':'" name "','fields':[" fields "]}"
#define FIELD(name, type) "{'name':'" name "','type':" type "}"
#define INNER(name, fields) "{'type':'record','name':'" name "','fields':[" fields "]}"
#define OPTIONAL "['null','string']"
#define HEAD FIELD("commandId", "'string'") FIELD("tenantId", "'string'")
#define TIMESTAMP FIELD("timestamp", "'long'")
#define ID_ONLY(name) INNER(name, FIELD("id", "'string'"))
#define DELETE FIELD("operation", ID_ONLY("DeleteWebhook"))
/* A command up to its operation, and one that deletes "w", as our own edition writes them. */
#define OUR_HEAD "'c 't 0 0 5 "
#define OUR_DELETE OUR_HEAD "4 'w"

struct row {
	const char *name;
	const char *schema, *values;
	const char *ours; /* NULL: it is refused */
	const char *why;  /* or a part of the reason */
};

static const struct row command_rows[] = {
	{ "optional fields missing, a record instead of the union",
	  RECORD("WebhookCommand", HEAD TIMESTAMP DELETE), "'c 't 5 'w", .ours = OUR_DELETE },
	{ "fields in another order",
	  RECORD("WebhookCommand",
		 DELETE TIMESTAMP FIELD("tenantId", "'string'") FIELD("commandId", "'string'")),
	  "'w 5 't 'c", .ours = OUR_DELETE },
	{ "int for long", RECORD("WebhookCommand", HEAD FIELD("timestamp", "'int'") DELETE),
	  "'c 't 5 'w", .ours = OUR_DELETE },
	{ "bytes for string",
	  RECORD("WebhookCommand",
		 FIELD("commandId", "'bytes'") FIELD("tenantId", "'string'") TIMESTAMP DELETE),
	  "'c 't 5 'w", .ours = OUR_DELETE },
	{ "string for an optional one",
	  RECORD("WebhookCommand", HEAD FIELD("requestId", "'string'") TIMESTAMP DELETE),
	  "'c 't 'r 5 'w", .ours = "'c 't 1 'r 0 5 4 'w" },
	{ "null for an optional one",
	  RECORD("WebhookCommand", HEAD FIELD("requestId", "'null'") TIMESTAMP DELETE),
	  "'c 't 5 'w", .ours = OUR_DELETE },
	{ "null last in the union",
	  RECORD("WebhookCommand", HEAD FIELD("requestId", "['string','null']")
				       FIELD("clientId", "['string','null']") TIMESTAMP DELETE),
	  "'c 't 0 'r 1 5 'w", .ours = "'c 't 1 'r 0 5 4 'w" },
	{ "another order of the operations",
	  RECORD("WebhookCommand",
		 HEAD TIMESTAMP FIELD("operation",
				      "[" ID_ONLY("TestWebhook") ID_ONLY("DeleteWebhook")
					  INNER("RotateSigningKey", "") "]")),
	  "'c 't 5 1 'w", .ours = OUR_DELETE },
	{ "the operation's record in another namespace",
	  RECORD("WebhookCommand",
		 HEAD TIMESTAMP FIELD("operation",
				      "[{'type':'record','namespace':'elsewhere','name':'"
				      "DeleteWebhook','fields':[" FIELD("id", "'string'") "]}]")),
	  "'c 't 5 0 'w", .ours = OUR_DELETE },
	{ "a required field that may be null and is not",
	  RECORD("WebhookCommand",
		 HEAD TIMESTAMP FIELD("operation", INNER("DeleteWebhook", FIELD("id", OPTIONAL)))),
	  "'c 't 5 1 'w", .ours = OUR_DELETE },
	{ "disabled missing",
	  RECORD("WebhookCommand",
		 HEAD TIMESTAMP FIELD("operation",
				      INNER("CreateWebhook",
					    FIELD("events", "{'type':'array','items':'string'}")
						FIELD("url", "'string'")))),
	  "'c 't 5 2 'a 'b 0 'u", .ours = OUR_HEAD "0 2 'a 'b 0 'u #00" },
	{ "an array in many blocks, some with their size",
	  RECORD(
	      "WebhookCommand",
	      HEAD TIMESTAMP FIELD(
		  "operation", INNER("CreateWebhook",
				     FIELD("events", "{'type':'array','items':['string','bytes']}")
					 FIELD("url", "'string'")))),
	  "'c 't 5 1 0 'a -2 6 0 'b 1 'c 1 0 'd 0 'u",
	  .ours = OUR_HEAD "0 4 'a 'b 'c 'd 0 'u #00" },
	{ "limit and cursor missing",
	  RECORD("WebhookCommand",
		 HEAD TIMESTAMP FIELD("operation", INNER("RetrieveWebhooks", ""))),
	  "'c 't 5", .ours = OUR_HEAD "1 0 0" },
	{ "fields more, of every kind",
	  RECORD(
	      "WebhookCommand",
	      FIELD("a", "'null'") FIELD("b", "'boolean'") FIELD("c", "'int'") FIELD("d", "'long'")
		  FIELD("e", "'float'") FIELD("f", "'double'") FIELD("g", "'bytes'") FIELD(
		      "h", "'string'") HEAD FIELD("i", "{'type':'fixed','name':'F','size':3}")
		      FIELD("j", "{'type':'enum','name':'E','symbols':['X','Y']}")
			  FIELD("k", "{'type':'array','items':'F'}") FIELD(
			      "l", "{'type':'map','values':{'type':'array','items':'long'}}")
			      TIMESTAMP FIELD("m", "['null',{'type':'map','values':['null','E']}]")
				  FIELD("operation",
					"[" INNER(
					    "DeleteWebhook",
					    FIELD("force", "'boolean'") FIELD("id", "'string'")
						FIELD("tree",
						      INNER("Tree",
							    FIELD("left", "['null','Tree']")
								FIELD("right",
								      "['null','Tree']")))) "]")),
	  "#01 -2 3000000000 #00000000 #0000000000000000 #02ff 'h 'c 't #aabbcc 1 2 #aabbcc "
	  "#ddeeff 0 1 'key -2 2 1 2 0 0 5 1 1 'x 1 1 0 0 #01 'w 1 0 0 1 0 0",
	  .ours = OUR_DELETE },

	{ "a required field missing",
	  RECORD("WebhookCommand", FIELD("tenantId", "'string'") TIMESTAMP DELETE), "'t 5 'w",
	  .why = "field WebhookCommand.commandId is missing" },
	{ "a required field of the operation missing",
	  RECORD(
	      "WebhookCommand",
	      HEAD TIMESTAMP FIELD("operation", INNER("CreateWebhook", FIELD("url", "'string'")))),
	  "'c 't 5 'u", .why = "field CreateWebhook.events is missing" },
	{ "a required field null",
	  RECORD("WebhookCommand",
		 HEAD TIMESTAMP FIELD("operation", INNER("DeleteWebhook", FIELD("id", OPTIONAL)))),
	  "'c 't 5 0", .why = "field DeleteWebhook.id is null" },
	{ "an unknown operation",
	  RECORD("WebhookCommand",
		 HEAD TIMESTAMP FIELD("operation", "[" ID_ONLY("PauseWebhook") "]")),
	  "'c 't 5 0 'w",
	  .why = "field WebhookCommand.operation is an unknown record, PauseWebhook" },
	{ "no operation", RECORD("WebhookCommand", HEAD TIMESTAMP FIELD("operation", "'null'")),
	  "'c 't 5", .why = "field WebhookCommand.operation is null" },
	{ "an operation that is no record",
	  RECORD("WebhookCommand", HEAD TIMESTAMP FIELD("operation", "['null','string']")),
	  "'c 't 5 1 'w", .why = "field WebhookCommand.operation has the wrong type, string" },
	{ "text for a time", RECORD("WebhookCommand", HEAD FIELD("timestamp", "'string'") DELETE),
	  "'c 't '5 'w", .why = "field WebhookCommand.timestamp has the wrong type, string" },
	{ "a number for text",
	  RECORD("WebhookCommand",
		 FIELD("commandId", "'int'") FIELD("tenantId", "'string'") TIMESTAMP DELETE),
	  "1 't 5 'w", .why = "field WebhookCommand.commandId has the wrong type, int" },
	{ "long for int",
	  RECORD("WebhookCommand",
		 HEAD TIMESTAMP FIELD("operation",
				      INNER("RetrieveWebhooks", FIELD("limit", "'long'")))),
	  "'c 't 5 1", .why = "field RetrieveWebhooks.limit has the wrong type, long" },
	{ "text for an array",
	  RECORD("WebhookCommand",
		 HEAD TIMESTAMP FIELD("operation",
				      INNER("CreateWebhook", FIELD("events", "'string'")))),
	  "'c 't 5 'e", .why = "field CreateWebhook.events has the wrong type, string" },
	{ "numbers in an array",
	  RECORD("WebhookCommand",
		 HEAD TIMESTAMP FIELD(
		     "operation",
		     INNER("CreateWebhook", FIELD("events", "{'type':'array','items':'int'}")))),
	  "'c 't 5 1 7 0", .why = "field CreateWebhook.events has the wrong type, int" },
	{ "a number for a boolean",
	  RECORD("WebhookCommand",
		 HEAD TIMESTAMP FIELD("operation",
				      INNER("UpdateWebhook", FIELD("disabled", "'int'")))),
	  "'c 't 5 1", .why = "field UpdateWebhook.disabled has the wrong type, int" },
	{ "bytes that are no text",
	  RECORD("WebhookCommand",
		 FIELD("commandId", "'bytes'") FIELD("tenantId", "'string'") TIMESTAMP DELETE),
	  "#02ff 't 5 'w", .why = "field WebhookCommand.commandId is not UTF-8 without NUL" },
};

#define STATE(record) RECORD("StateRecord", FIELD("state", "[" record "]"))
#define KEY(x)                                                                                     \
	STATE(INNER("SigningKey", FIELD("tenantId", "'string'") FIELD("kid", "'string'")           \
				      FIELD("masterKeyId", "'string'") FIELD("epoch", "'int'")     \
					  FIELD("createdAt", "'long'") FIELD("x", x)))
#define X32 "4142434445464748494a4b4c4d4e4f505152535455565758595a414243444546"
#define UUID_1 "'01234567-89ab-4cde-8f01-234567890001 "
#define WEBHOOK                                                                                    \
	STATE(INNER("Webhook", FIELD("id", "'string'") FIELD("tenantId", "'string'")               \
				   FIELD("events", "{'type':'array','items':'string'}")            \
				       FIELD("url", "'string'") FIELD("createdAt", "'long'")       \
					   FIELD("updatedAt", "'long'")))
#define POSITION                                                                                   \
	STATE(INNER("Position", FIELD("storeId", "'string'") FIELD("sequence", "'int'") FIELD(     \
				    "generation", "'int'") FIELD("memberId", "'string'")           \
				    FIELD("recordCount", "'int'") FIELD("timestamp", "'long'")))

static const struct row state_rows[] = {
	{ "fixed", KEY("{'type':'fixed','name':'X','size':32}"), "0 't 'k 'm 1 5 #" X32,
	  .ours = "1 't 'k #" X32 " 'm 1 5 0" },
	{ "bytes for fixed", KEY("'bytes'"), "0 't 'k 'm 1 5 32 #" X32,
	  .ours = "1 't 'k #" X32 " 'm 1 5 0" },
	{ "fixed of another size", KEY("{'type':'fixed','name':'X','size':2}"),
	  "0 't 'k 'm 1 5 #aabb", .why = "field SigningKey.x has the wrong length" },
	{ "bytes too short", KEY("'bytes'"), "0 't 'k 'm 1 5 1 #aa",
	  .why = "field SigningKey.x has the wrong length" },
	{ "text for fixed", KEY("'string'"), "0 't 'k 'm 1 5 'a",
	  .why = "field SigningKey.x has the wrong type, string" },
	{ "disabled missing", WEBHOOK, "0 " UUID_1 "'t 1 'OpenIdCredentialIssued 0 'u 5 6",
	  .ours = "0 " UUID_1 "'t 1 'OpenIdCredentialIssued 0 'u #00 5 6 0" },
	{ "an id that is no UUID", WEBHOOK, "0 'x 't 1 'OpenIdCredentialIssued 0 'u 5 6",
	  .why = "field Webhook.id is not a UUID" },
	/* Another worker's event.types are kept as they are, in the edition that has them. */
	{ "an event type of one's own", WEBHOOK, "0 " UUID_1 "'t 1 'Other 0 'u 5 6",
	  .ours = "0 " UUID_1 "'t 1 'Other 0 'u 0 5 6 0 0 0 0 0 0 0 0 0 0 0 0 0 0" },
	{ "offsets missing, int for the sequence", POSITION, "0 " UUID_1 "7 1 'm 2 5",
	  .ours = "4 " UUID_1 "7 1 'm 0 0 2 5" },
	{ "an unknown kind of record", STATE(ID_ONLY("Other")), "0 'x",
	  .why = "field StateRecord.state is an unknown record, Other" },
};

#define EVENT_HEAD                                                                                 \
	FIELD("id", "'string'")                                                                    \
	FIELD("type", "'string'") FIELD("timestamp", "'long'") FIELD("tenantId", "'string'")

static const struct row event_rows[] = {
	{ "only what is required", RECORD("AnalyticEvent", EVENT_HEAD),
	  UUID_1 "'WEBHOOK_CREATE_START 5 't",
	  .ours = UUID_1 "'WEBHOOK_CREATE_START 'webhook 1 5 't 0 0 0 #00 0 0" },
	{ "the status behind the data",
	  RECORD("AnalyticEvent",
		 EVENT_HEAD FIELD("data", INNER("Recovered", FIELD("deliveries", "'int'")))
		     FIELD("status", "'int'")),
	  UUID_1 "'WEBHOOK_RECOVER_SUCCESS 5 't 3 200",
	  .ours = UUID_1 "'WEBHOOK_RECOVER_SUCCESS 'webhook 1 5 't 0 0 0 #00 1 200 7 3" },
	{ "an unknown type", RECORD("AnalyticEvent", EVENT_HEAD),
	  UUID_1 "'WEBHOOK_PAUSE_START 5 't",
	  .why = "field AnalyticEvent.type has an unknown value" },
	{ "unknown data",
	  RECORD("AnalyticEvent", EVENT_HEAD FIELD("data", "['null'," ID_ONLY("Other") "]")),
	  UUID_1 "'WEBHOOK_CREATE_START 5 't 1 'x",
	  .why = "field AnalyticEvent.data is an unknown record, Other" },
	{ "a wrong type inside an array of records",
	  RECORD("AnalyticEvent",
		 EVENT_HEAD FIELD(
		     "data",
		     INNER("Problem",
			   FIELD("code", "'string'") FIELD("type", "'string'")
			       FIELD("message", "'string'")
				   FIELD("details", "{'type':'array','items':" INNER(
							"Detail", FIELD("value", "'long'")) "}")))),
	  UUID_1 "'WEBHOOK_CREATE_FAIL 5 't 'a 'b 'c 1 1 0",
	  .why = "field ProblemDetail.value has the wrong type, long" },
};

/* A schema as JSON: ' becomes ", and a comma goes between two objects. */
static char *schema_json(const char *quoted) {
	char *json = x_calloc(2 * strlen(quoted) + 1, 1), *end = json;

	for (const char *c = quoted; *c; c++) {
		if (c > quoted && c[-1] == '}' && *c == '{')
			*end++ = ',';
		*end++ = *c == '\'' ? '"' : *c;
	}
	return json;
}

static void append_hex(struct buffer *out, const char *hex) {
	for (; hex[0] && hex[0] != ' '; hex += 2)
		buffer_append_char(out, (char)strtoul((char[]){ hex[0], hex[1], 0 }, NULL, 16));
}

static void append_values(struct buffer *out, const char *values) {
	for (const char *token = values; *token; token += strspn(token, " ")) {
		size_t len = strcspn(token, " ");

		if (*token == '\'')
			wire_write_bytes(out, token + 1, len - 1);
		else if (*token == '#')
			append_hex(out, token + 1);
		else
			wire_write_long(out, strtoll(token, NULL, 10));
		token += len;
	}
}

static void append_frame(struct buffer *out, const char *json) {
	_cleanup_(buffer_destroy) struct buffer canonical = BUFFER_INIT(65536);
	uint8_t header[FRAME_HEADER_SIZE];

	assert_int_equal(canonical_append(&canonical, json, strlen(json), CANONICAL_SPECIFICATION),
			 0);
	frame_write(fingerprint_of(canonical.data, canonical.len), header);
	buffer_append(out, header, sizeof(header));
}

/* A codec that also knows the schema, by way of a directory that holds it. */
static int codec_with(const char *json, struct codec **out, struct buffer *problems) {
	char dir[] = "/tmp/posthorn-schemas-XXXXXX";
	_cleanup_(x_freep) char *path = NULL;
	FILE *file;
	int r;

	assert_non_null(mkdtemp(dir));
	path = x_asprintf("%s/writer.avsc", dir);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(json, 1, strlen(json), file), strlen(json));
	assert_int_equal(fclose(file), 0);
	r = codec_new(&(struct codec_settings){ .schema_dir = dir }, out, problems);
	unlink(path);
	rmdir(dir);
	return r;
}

static void check_understood(struct codec *codec, enum sample_kind kind,
			     const union sample_value *value, const char *ours) {
	_cleanup_(buffer_destroy) struct buffer expected = BUFFER_INIT(65536),
						again = BUFFER_INIT(65536);

	append_values(&expected, ours);
	sample_encode(codec, kind, value, &again);
	assert_int_equal(again.len, FRAME_HEADER_SIZE + expected.len);
	assert_memory_equal(again.data + FRAME_HEADER_SIZE, expected.data, expected.len);
}

static void check_row(enum sample_kind kind, const struct row *row) {
	_cleanup_(x_freep) char *json = schema_json(row->schema);
	_cleanup_(buffer_destroy) struct buffer record = BUFFER_INIT(65536),
						problems = BUFFER_INIT(65536);
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(codec_freep) struct codec *codec = NULL;
	union sample_value value;
	const char *why = "";
	int r;

	print_message("%s\n", row->name);
	assert_int_equal(codec_with(json, &codec, &problems), 0);
	append_frame(&record, json);
	append_values(&record, row->values);
	r = sample_decode(codec, arena, kind, record.data, record.len, &value, &why);
	if (row->ours) {
		assert_string_equal(why, "");
		assert_int_equal(r, 0);
		check_understood(codec, kind, &value, row->ours);
	} else {
		assert_int_equal(r, CODEC_E_REFUSED);
		assert_non_null(strstr(why, row->why));
	}
}

static void commands(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(command_rows); i++)
		check_row(SAMPLE_COMMAND, &command_rows[i]);
}

static void states(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(state_rows); i++)
		check_row(SAMPLE_STATE, &state_rows[i]);
}

static void events(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(event_rows); i++)
		check_row(SAMPLE_EVENT, &event_rows[i]);
}

static void schemas_that_cannot_be_used_are_named(void **state _unused_) {
	static const struct {
		const char *name, *schema, *why;
	} rows[] = {
		{ "no JSON", "{", "writer.avsc: " },
		{ "empty", "", "writer.avsc: " },
		{ "an unknown type", RECORD("WebhookCommand", FIELD("a", "'thing'")),
		  "writer.avsc: " },
		{ "no record", "'string'", "writer.avsc: not a posthorn.v1 record" },
		{ "another record", RECORD("Other", ""), "writer.avsc: not a posthorn.v1 record" },
		{ "another namespace",
		  "{'type':'record','namespace':'other','name':'WebhookCommand','fields':[]}",
		  "writer.avsc: not a posthorn.v1 record" },
		{ "no namespace", "{'type':'record','name':'WebhookCommand','fields':[]}",
		  "writer.avsc: not a posthorn.v1 record" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(x_freep) char *json = schema_json(rows[i].schema);
		_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(65536);
		_cleanup_(codec_freep) struct codec *codec = NULL;

		print_message("%s\n", rows[i].name);
		assert_int_equal(codec_with(json, &codec, &problems), CODEC_E_REFUSED);
		assert_non_null(strstr(problems.data, rows[i].why));
	}
}

static void a_schema_directory_that_is_not_there(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(65536);
	const struct codec_settings settings = { .schema_dir = "/nonexistent/schemas" };
	_cleanup_(codec_freep) struct codec *codec = NULL;

	assert_int_equal(codec_new(&settings, &codec, &problems), CODEC_E_REFUSED);
	assert_non_null(strstr(problems.data, "/nonexistent/schemas: "));
}

/* The fingerprint of one of our own schemas. */
static uint64_t fingerprint_of_own(const char *file) {
	_cleanup_(buffer_destroy) struct buffer canonical = BUFFER_INIT(65536);
	const struct embedded_schema *own = embedded_schema_find(file);

	assert_int_equal(canonical_append(&canonical, (const char *)own->json, own->len,
					  CANONICAL_SPECIFICATION),
			 0);
	return fingerprint_of(canonical.data, canonical.len);
}

/* Whoever knows the first edition alone reads every record that uses nothing newer (R13). */
static void a_record_is_written_with_the_first_edition_that_holds_it(void **state _unused_) {
	static const char *const files[][2] = {
		[SAMPLE_COMMAND] = { "edition-1/webhook-command.avsc", "webhook-command.avsc" },
		[SAMPLE_ISSUANCE] = { "credential-issuance-command.avsc",
				      "credential-issuance-command.avsc" },
		[SAMPLE_EVENT] = { "edition-1/analytic-event.avsc", "analytic-event.avsc" },
		[SAMPLE_STATE] = { "edition-1/state-record.avsc", "state-record.avsc" },
	};
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(65536);
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(codec_freep) struct codec *codec = NULL;

	assert_int_equal(codec_new(NULL, &codec, &problems), 0);
	for (size_t i = 0; i < SAMPLE_COUNT; i++) {
		bool is_second = i >= SAMPLE_COUNT - SAMPLES_OF_SECOND_EDITION;
		_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(65536);
		struct frame frame;
		const char *why;

		print_message("%s\n", samples[i].name);
		sample_encode(codec, samples[i].kind, samples[i].value, &out);
		assert_int_equal(frame_parse(arena, out.data, out.len, &frame, &why), 0);
		assert_true(frame.fingerprint ==
			    fingerprint_of_own(files[samples[i].kind][is_second]));
	}
}

static uint64_t fingerprint_in(struct codec *codec, const struct analytic_event *event) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(65536);
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct frame frame;
	const char *why;

	codec_encode_event(codec, event, &out);
	assert_int_equal(frame_parse(arena, out.data, out.len, &frame, &why), 0);
	return frame.fingerprint;
}

/* As it is written while a worker of the group is older (R13). */
static void an_event_without_its_trace_is_of_the_first_edition(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(65536);
	_cleanup_(codec_freep) struct codec *codec = NULL;
	size_t count = 0;

	assert_int_equal(codec_new(NULL, &codec, &problems), 0);
	for (size_t i = 0; i < ARRAY_LEN(sample_events); i++) {
		struct analytic_event event = sample_events[i];

		if (event.data.kind != EVENT_DATA_DELIVERY || !event.data.delivery.response)
			continue;
		assert_true(fingerprint_in(codec, &event) ==
			    fingerprint_of_own("analytic-event.avsc"));
		event.data.delivery = delivery_report_of_first_edition(&event.data.delivery);
		assert_true(fingerprint_in(codec, &event) ==
			    fingerprint_of_own("edition-1/analytic-event.avsc"));
		count++;
	}
	assert_int_equal(count, 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_without_its_trace_is_of_the_first_edition),
		cmocka_unit_test(commands),
		cmocka_unit_test(states),
		cmocka_unit_test(events),
		cmocka_unit_test(a_record_is_written_with_the_first_edition_that_holds_it),
		cmocka_unit_test(schemas_that_cannot_be_used_are_named),
		cmocka_unit_test(a_schema_directory_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
