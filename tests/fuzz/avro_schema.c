/*
 * A writer's schema, and after a NUL a record's bytes: its canonical form is its own canonical
 * form, both read records the same way, and a record that has passed the check is decoded within
 * its bytes.
 *
 * Seeds: the literals of tests/unit/avro_fingerprint.c and tests/unit/avro_evolution.c.
 */
#include "avro/canonical.h"
#include "avro/check.h"
#include "avro/decode.h"
#include "fuzz.h"
#include "unit/avro_samples.h"

enum { CANONICAL_MAX = 1024 * 1024 };

static const struct record *const records[] = { &command_record, &issuance_record,
						&analytic_event_record, &state_record_record };

/* Whatever the schema is called: the fields are matched by their names. */
static void decode(struct arena *arena, const struct schema *schema, const uint8_t *bytes,
		   size_t len) {
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		union sample_value value = { 0 };
		const char *why = NULL;

		if (decode_record(arena, schema, records[i], bytes, len, &value, &why))
			CHECK(why && *why);
	}
}

static void check_canonical(struct arena *arena, const char *json, size_t json_len,
			    const struct schema *schema, const uint8_t *bytes, size_t len) {
	_cleanup_(buffer_destroy) struct buffer once = BUFFER_INIT(CANONICAL_MAX),
						twice = BUFFER_INIT(CANONICAL_MAX);
	const struct schema *again;
	const char *why, *wrong, *wrong_again;

	if (canonical_append(&once, json, json_len, CANONICAL_SPECIFICATION))
		return;
	CHECK(!canonical_append(&twice, once.data, once.len, CANONICAL_SPECIFICATION));
	CHECK(once.len == twice.len && !memcmp(once.data, twice.data, once.len));
	if (!schema)
		return;
	CHECK(!schema_parse(arena, once.data, once.len, &again, &why));
	wrong = check_bytes(schema, bytes, len);
	wrong_again = check_bytes(again, bytes, len);
	CHECK(wrong == wrong_again || (wrong && wrong_again && !strcmp(wrong, wrong_again)));
}

static bool is_twice(const char *json) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(CANONICAL_MAX);

	return canonical_append(&out, json, strlen(json), CANONICAL_SPECIFICATION) ==
	       CANONICAL_E_NAME_TWICE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct fuzz_input input = FUZZ_INPUT(data, size);
	_cleanup_(x_freep) char *json = fuzz_take_text(&input, '\0');
	size_t len = (size_t)(input.end - input.at);
	const struct schema *schema = NULL;
	const char *why = NULL;

	/*
	 * avro-c leaks the parts of a schema with a name twice: the codec checks first, too.
	 */
	if (is_twice(json))
		return 0;
	if (schema_parse(arena, json, strlen(json), &schema, &why))
		CHECK(why && *why);
	check_canonical(arena, json, strlen(json), schema, input.at, len);
	if (schema && schema->type == SCHEMA_RECORD && !check_bytes(schema, input.at, len))
		decode(arena, schema, input.at, len);
	return 0;
}
