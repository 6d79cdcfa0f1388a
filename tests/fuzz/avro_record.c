/*
 * Records of all schemas, and their frames: a decoded record encodes to bytes that decode to the
 * same; it becomes JSON; and memory keeps to the record's size.
 */
#include "avro/json.h"
#include "fuzz.h"
#include "unit/avro_samples.h"

#include <jansson.h>
#include <sanitizer/allocator_interface.h>
#include <sanitizer/asan_interface.h>

enum { MEMORY_PER_BYTE = 64, MEMORY_BASE = 128 * 1024, RECORD_MAX = 16 * 1024 * 1024 };

static struct codec *codec;

static void start(void) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);

	if (!codec)
		CHECK(!codec_new(NULL, &codec, &problems));
}

static void check_json(enum sample_kind kind, const union sample_value *value) {
	_cleanup_(buffer_destroy) struct buffer text = BUFFER_INIT(RECORD_MAX);
	json_t *json;

	if (kind == SAMPLE_EVENT)
		json_append_event(&text, &value->event);
	else if (kind == SAMPLE_STATE)
		json_append_state(&text, &value->state);
	else
		return;
	json = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	CHECK(json_is_object(json));
	json_decref(json);
	if (kind != SAMPLE_EVENT)
		return;
	buffer_clear(&text);
	json_append_api_data(&text, &value->event.data);
	json = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	CHECK(json);
	json_decref(json);
}

/*
 * Equal structs encode to equal bytes: what encodes to the same after it was decoded has lost
 * nothing.
 */
static void check_round_trip(struct arena *arena, enum sample_kind kind,
			     const union sample_value *value) {
	_cleanup_(buffer_destroy) struct buffer once = BUFFER_INIT(RECORD_MAX),
						twice = BUFFER_INIT(RECORD_MAX);
	union sample_value again;
	const char *why;

	sample_encode(codec, kind, value, &once);
	CHECK(!once.overflowed);
	CHECK(!sample_decode(codec, arena, kind, once.data, once.len, &again, &why));
	sample_encode(codec, kind, &again, &twice);
	CHECK(twice.len == once.len && !memcmp(once.data, twice.data, once.len));
}

static void check(enum sample_kind kind, const uint8_t *data, size_t size) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	size_t before = __sanitizer_get_current_allocated_bytes();
	union sample_value value;
	const char *why = "";
	int r = sample_decode(codec, arena, kind, size ? data : NULL, size, &value, &why);

	CHECK(__sanitizer_get_current_allocated_bytes() - before <=
	      size * MEMORY_PER_BYTE + MEMORY_BASE);
	CHECK(!r || *why);
	if (r)
		return;
	check_json(kind, &value);
	check_round_trip(arena, kind, &value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	start();
	for (int kind = SAMPLE_COMMAND; kind <= SAMPLE_STATE; kind++)
		check((enum sample_kind)kind, data, size);
	return 0;
}
