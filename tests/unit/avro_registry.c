/* Schemas that come from a registry: which are refused before avro-c sees them, and how records are
 * decoded by their ids. */
#include "avro/codec.h"
#include "avro/embedded.h"
#include "avro/frame.h"
#include "avro/schema_judge.h"
#include "avro_samples.h"
#include "unit.h"

enum { RECORD_MAX = 1024 * 1024, ID = 258 };

/* Judging. */

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define FIELD(type) RECORD("{\"name\":\"f\",\"type\":" type "}")

static const struct {
	const char *name, *json, *why; /* NULL: it is taken */
} schemas[] = {
	{ "a primitive", "\"string\"", NULL },
	{ "a record without fields", RECORD(""), NULL },
	{ "a logical type", FIELD("{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}"),
	  NULL },
	{ "a record in itself", FIELD("[\"null\",\"R\"]"), NULL },
	{ "a namespace that holds inside",
	  "{\"type\":\"record\",\"name\":\"a.R\",\"fields\":[{\"name\":\"f\",\"type\":[\"null\","
	  "\"R\",\"a.R\"]}]}",
	  NULL },
	{ "an enum", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", NULL },
	{ "a fixed", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":16}", NULL },
	{ "an array of maps",
	  "{\"type\":\"array\",\"items\":{\"type\":\"map\",\"values\":\"int\"}}", NULL },
	{ "nothing", "", "not JSON" },
	{ "half a record", "{\"type\":\"record\",\"name\":\"R\"", "not JSON" },
	{ "a member twice", "{\"type\":\"string\",\"type\":\"int\"}", "not JSON" },
	{ "a number", "5", "a type is missing" },
	{ "an unknown type", "\"Order\"", "the type Order is not defined" },
	{ "a type that is defined behind", "[\"R\"," RECORD("") "]", "the type R is not defined" },
	{ "a name twice", "[" RECORD("") "," RECORD("") "]", "a name is defined twice" },
	{ "a record without a name", "{\"type\":\"record\",\"fields\":[]}", "no name" },
	{ "a name that is none", "{\"type\":\"record\",\"name\":\"9\",\"fields\":[]}", "no name" },
	{ "a name with an empty part", "{\"type\":\"record\",\"name\":\"a..b\",\"fields\":[]}",
	  "no name" },
	{ "a namespace that is none",
	  "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"-\",\"fields\":[]}",
	  "a namespace is no name" },
	{ "fields that are no array", "{\"type\":\"record\",\"name\":\"R\",\"fields\":5}",
	  "a record has no fields" },
	{ "a field without a name", RECORD("{\"type\":\"int\"}"), "a field has no name" },
	{ "a field twice",
	  RECORD("{\"name\":\"f\",\"type\":\"int\"},{\"name\":\"f\",\"type\":\"int\"}"),
	  "a field has no name of its own" },
	{ "a field without a type", RECORD("{\"name\":\"f\"}"), "a type is missing" },
	{ "a type in a type", "{\"type\":{\"type\":\"string\"}}", "a type is not a string" },
	{ "a union in a union", "[\"null\",[\"int\"]]", "a union has a union" },
	{ "an empty union", "[]", "a union has no branch" },
	{ "an enum without symbols", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[]}",
	  "an enum has no symbols" },
	{ "a symbol twice", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"A\"]}",
	  "an enum's symbol" },
	{ "a symbol that is a number", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[1]}",
	  "an enum's symbol" },
	{ "a fixed without a size", "{\"type\":\"fixed\",\"name\":\"F\"}", "a fixed has no size" },
	{ "a fixed of a negative size", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}",
	  "a fixed has no size" },
	{ "an array of nothing", "{\"type\":\"array\"}", "a type is missing" },
};

static void strangers_schemas_are_judged(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(schemas); i++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		const char *why = schema_judge(arena, schemas[i].json, strlen(schemas[i].json));

		print_message("%s: %s\n", schemas[i].name, why ? why : "taken");
		if (schemas[i].why)
			assert_non_null(why);
		else
			assert_null(why);
		assert_true(!why || strstr(why, schemas[i].why));
	}
}

static void append_repeated(struct buffer *out, const char *text, size_t count) {
	for (size_t i = 0; i < count; i++)
		buffer_append_string(out, text);
}

static void a_schema_has_bounds(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(buffer_destroy) struct buffer json = BUFFER_INIT(4 * SCHEMA_JUDGE_BYTES);

	print_message("too deep\n");
	append_repeated(&json, "{\"type\":\"array\",\"items\":", SCHEMA_JUDGE_DEPTH);
	buffer_append_string(&json, "\"int\"");
	append_repeated(&json, "}", SCHEMA_JUDGE_DEPTH);
	assert_string_equal(schema_judge(arena, json.data, json.len), "it is nested too deeply");

	print_message("deeper than the stack\n");
	buffer_clear(&json);
	append_repeated(&json, "[", SCHEMA_JUDGE_BYTES - 1);
	assert_string_equal(schema_judge(arena, json.data, json.len), "it is not JSON");

	print_message("too many parts\n");
	buffer_clear(&json);
	buffer_append_string(&json, "[");
	append_repeated(&json, "\"int\",", SCHEMA_JUDGE_COUNT);
	buffer_append_string(&json, "\"int\"]");
	assert_string_equal(schema_judge(arena, json.data, json.len), "it has too many parts");

	print_message("too long\n");
	buffer_clear(&json);
	append_repeated(&json, " ", SCHEMA_JUDGE_BYTES + 1);
	assert_non_null(strstr(schema_judge(arena, json.data, json.len), "bytes, more than"));
}

static void our_own_schemas_are_taken(void **state _unused_) {
	for (size_t i = 0; i < EMBEDDED_SCHEMA_COUNT; i++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		const struct embedded_schema *own = &embedded_schemas[i];

		print_message("%s\n", own->file);
		assert_null(schema_judge(arena, (const char *)own->json, own->len));
	}
}

/* Ids. */

struct world {
	struct codec *codec;
	struct arena *arena;
	struct buffer record; /* a command in Confluent's frame, of schema ID */
	int asked;            /* times that the registry was */
};

static const char *resolve(void *userdata, uint32_t id) {
	struct world *w = userdata;
	const struct embedded_schema *own = embedded_schema_find("edition-1/webhook-command.avsc");

	w->asked++;
	if (id != ID)
		return "the registry does not know it";
	codec_learn_id(w->codec, id, (const char *)own->json, own->len);
	return NULL;
}

static void write_command(struct world *w, uint32_t id) {
	_cleanup_(buffer_destroy) struct buffer framed = BUFFER_INIT(RECORD_MAX);
	uint8_t header[FRAME_CONFLUENT_HEADER_SIZE];

	codec_encode_command(w->codec, &sample_commands[0], &framed);
	frame_write_confluent(id, header);
	buffer_clear(&w->record);
	buffer_append(&w->record, header, sizeof(header));
	buffer_append(&w->record, framed.data + FRAME_HEADER_SIZE, framed.len - FRAME_HEADER_SIZE);
}

static int setup(void **state) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
	struct world *w = x_calloc(1, sizeof(*w));

	w->arena = arena_new();
	w->record = BUFFER_INIT(RECORD_MAX);
	*state = w;
	return codec_new(NULL, &w->codec, &problems);
}

static int teardown(void **state) {
	struct world *w = *state;

	codec_free(w->codec);
	arena_free(w->arena);
	buffer_destroy(&w->record);
	free(w);
	return 0;
}

static int decode(struct world *w, struct command *out, const char **why) {
	*why = "";
	return codec_decode_command(w->codec, w->arena, w->record.data, w->record.len, out, why);
}

static void a_command_is_decoded_by_its_schemas_id(void **state) {
	struct world *w = *state;
	struct command command;
	const char *why;

	codec_use_registry(w->codec, &(struct codec_registry){ .resolve = resolve, .userdata = w });
	for (int i = 0; i < 2; i++) {
		write_command(w, ID);
		assert_int_equal(decode(w, &command, &why), 0);
		assert_string_equal(command.envelope.command_id,
				    sample_commands[0].envelope.command_id);
	}
	assert_int_equal(w->asked, 1);
	print_message("cut off\n");
	w->record.len--;
	assert_int_equal(decode(w, &command, &why), CODEC_E_REFUSED);
	assert_non_null(strstr(why, "malformed WebhookCommand"));
}

static void an_id_that_is_not_known_is_refused(void **state) {
	struct world *w = *state;
	struct command command;
	const char *why;

	codec_use_registry(w->codec, &(struct codec_registry){ .resolve = resolve, .userdata = w });
	write_command(w, 7);
	assert_int_equal(decode(w, &command, &why), CODEC_E_REFUSED);
	assert_string_equal(
	    why, "a Confluent frame with schema id 7, and the registry does not know it");
	assert_false(codec_knows_id(w->codec, 7));
}

/* What a registry may say of an id, and what a record of it is told. */
static const struct {
	const char *name, *json, *why;
} strangers[] = {
	{ "a foreign record",
	  "{\"type\":\"record\",\"name\":\"Order\",\"namespace\":\"com.example\",\"fields\":[]}",
	  "schema id 7: it is of the schema com.example.Order, which is none of posthorn's" },
	{ "a record of our name elsewhere",
	  "{\"type\":\"record\",\"name\":\"WebhookCommand\",\"fields\":[]}",
	  "schema id 7: it is of the schema WebhookCommand, which is none of posthorn's" },
	{ "no record", "\"string\"", "schema id 7: it is of the type string, not of a record" },
	{ "no schema", "[[]]", "schema id 7: its schema is refused: a union has a union" },
	{ "another record of ours", NULL,
	  "it is of the schema AnalyticEvent, not of WebhookCommand" },
};

static void a_strangers_record_is_named(void **state _unused_) {
	const struct embedded_schema *event = embedded_schema_find("analytic-event.avsc");

	for (size_t i = 0; i < ARRAY_LEN(strangers); i++) {
		const char *json =
		    strangers[i].json ? strangers[i].json : (const char *)event->json;
		size_t len = strangers[i].json ? strlen(json) : event->len;
		struct command command;
		const char *why;
		void *world;

		assert_int_equal(setup(&world), 0);
		codec_learn_id(((struct world *)world)->codec, 7, json, len);
		write_command(world, 7);
		assert_int_equal(decode(world, &command, &why), CODEC_E_REFUSED);
		print_message("%s: %s\n", strangers[i].name, why);
		assert_non_null(strstr(why, strangers[i].why));
		teardown(&world);
	}
}

static void a_schema_may_have_several_ids(void **state) {
	const struct embedded_schema *own = embedded_schema_find("edition-1/webhook-command.avsc");
	struct world *w = *state;
	struct command command;
	const char *why;

	for (uint32_t id = 1; id <= 3; id++) {
		codec_learn_id(w->codec, id, (const char *)own->json, own->len);
		write_command(w, id);
		assert_int_equal(decode(w, &command, &why), 0);
	}
}

static void an_id_never_names_another_schema(void **state) {
	const struct embedded_schema *own = embedded_schema_find("edition-1/webhook-command.avsc");
	struct world *w = *state;
	struct command command;
	const char *why;

	codec_learn_id(w->codec, ID, (const char *)own->json, own->len);
	codec_refuse_id(w->codec, ID, "no");
	codec_learn_id(w->codec, ID, "\"string\"", strlen("\"string\""));
	write_command(w, ID);
	assert_int_equal(decode(w, &command, &why), 0);
}

static void an_event_is_written_in_confluents_frame(void **state) {
	const struct embedded_schema *own = embedded_schema_find("analytic-event.avsc");
	struct world *w = *state;
	struct analytic_event event = { .tenant_id = "t" };
	_cleanup_(buffer_destroy) struct buffer single = BUFFER_INIT(RECORD_MAX);
	struct analytic_event again;
	const char *why;
	uint32_t id;

	codec_encode_event(w->codec, &event, &single);
	codec_encode_event_for(w->codec, ID, &event, &w->record);
	assert_true(frame_schema_id(w->record.data, w->record.len, &id));
	assert_int_equal(id, ID);
	assert_memory_equal(w->record.data + FRAME_CONFLUENT_HEADER_SIZE,
			    single.data + FRAME_HEADER_SIZE, single.len - FRAME_HEADER_SIZE);
	codec_learn_id(w->codec, ID, (const char *)own->json, own->len);
	assert_int_equal(
	    codec_decode_event(w->codec, w->arena, w->record.data, w->record.len, &again, &why), 0);
	assert_string_equal(again.tenant_id, "t");
}

#define ID_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_schemas_are_judged),
		cmocka_unit_test(a_schema_has_bounds),
		cmocka_unit_test(our_own_schemas_are_taken),
		ID_TEST(a_command_is_decoded_by_its_schemas_id),
		ID_TEST(an_id_that_is_not_known_is_refused),
		cmocka_unit_test(a_strangers_record_is_named),
		ID_TEST(a_schema_may_have_several_ids),
		ID_TEST(an_id_never_names_another_schema),
		ID_TEST(an_event_is_written_in_confluents_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
