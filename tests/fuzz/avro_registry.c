/*
 * A schema as a registry tells it, and after a NUL a record's bytes: what is taken, avro-c takes
 * without a leak, and so is its canonical form; records of one of our schemas are decoded or
 * refused with a reason.
 *
 * Seeds: the literals of tests/unit/avro_fingerprint.c and tests/unit/avro_evolution.c.
 */
#include "avro/canonical.h"
#include "avro/check.h"
#include "avro/decode.h"
#include "avro/schema_ids.h"
#include "avro/schema_judge.h"
#include "fuzz.h"
#include "unit/avro_samples.h"

enum { ID = 258 };

static void check_taken(struct arena *arena, const char *json, size_t len) {
	_cleanup_(buffer_destroy) struct buffer canonical = BUFFER_INIT(2 * SCHEMA_JUDGE_BYTES);
	const struct schema *schema;
	const char *why;

	CHECK(!schema_parse(arena, json, len, &schema, &why));
	CHECK(!canonical_append(&canonical, json, len, CANONICAL_SPECIFICATION));
	CHECK(!schema_judge(arena, canonical.data, canonical.len));
}

static void check_record(struct arena *arena, const struct schema_of_id *known,
			 const uint8_t *bytes, size_t len) {
	union sample_value value = { 0 };
	const char *why = NULL;

	CHECK(known->schema->type == SCHEMA_RECORD);
	if (check_bytes(known->schema, bytes, len))
		return;
	if (decode_record(arena, known->schema, known->record, bytes, len, &value, &why))
		CHECK(why && *why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(schema_ids_freep) struct schema_ids *ids = schema_ids_new();
	struct fuzz_input input = FUZZ_INPUT(data, size);
	_cleanup_(x_freep) char *json = fuzz_take_text(&input, '\0');
	size_t len = strlen(json);
	const char *why = schema_judge(arena, json, len);
	const struct schema_of_id *known;

	CHECK(!why || *why);
	if (!why)
		check_taken(arena, json, len);
	schema_ids_learn(ids, ID, json, len);
	known = schema_ids_find(ids, ID);
	CHECK(known && !known->schema == (known->why != NULL));
	CHECK(!why || (known->why && strstr(known->why, why)));
	if (known->schema)
		check_record(arena, known, input.at, (size_t)(input.end - input.at));
	return 0;
}
