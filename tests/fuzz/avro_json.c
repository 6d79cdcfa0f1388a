/*
 * Commands and events as JSON. What jansson takes for an object is judged by its members and never
 * malformed; a command without a fault is one that jansson takes, and loses nothing on its way
 * through Avro; an event comes back from its own JSON; memory keeps to the text's size.
 */
#include "avro/json.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "unit/avro_samples.h"

#include <jansson.h>
#include <sanitizer/allocator_interface.h>
#include <sanitizer/asan_interface.h>

enum { MEMORY_PER_BYTE = 64, MEMORY_BASE = 128 * 1024, RECORD_MAX = 16 * 1024 * 1024 };

static struct codec *codec, *json_codec;

static void start(void) {
	const struct codec_settings settings = { .results_framing = RESULTS_JSON };
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);

	if (codec)
		return;
	CHECK(!codec_new(NULL, &codec, &problems));
	CHECK(!codec_new(&settings, &json_codec, &problems));
}

static const struct problem *faults_of(enum sample_kind kind, const union sample_value *value) {
	if (kind == SAMPLE_EVENT)
		return NULL;
	return kind == SAMPLE_COMMAND ? value->command.envelope.faults
				      : value->issuance.envelope.faults;
}

static void check_faults(const struct problem *problem) {
	CHECK(problem->status == 400 && problem->detail_count &&
	      problem->detail_count <= PROBLEM_DETAILS_MAX);
	for (size_t i = 0; i < problem->detail_count; i++) {
		const struct problem_detail *detail = &problem->details[i];

		CHECK(*detail->msg && !strcmp(detail->location, "body"));
		CHECK(strlen(detail->value) <= PROBLEM_VALUE_MAX &&
		      utf8_is_text(detail->value, strlen(detail->value)));
		CHECK(strlen(detail->param) <= PROBLEM_VALUE_MAX + 32 &&
		      utf8_is_text(detail->param, strlen(detail->param)));
	}
}

static void check_round_trip(struct arena *arena, struct codec *with, enum sample_kind kind,
			     const union sample_value *value) {
	_cleanup_(buffer_destroy) struct buffer once = BUFFER_INIT(RECORD_MAX),
						twice = BUFFER_INIT(RECORD_MAX);
	union sample_value again;
	const char *why;

	sample_encode(with, kind, value, &once);
	CHECK(!once.overflowed);
	CHECK(!sample_decode(codec, arena, kind, once.data, once.len, &again, &why));
	CHECK(!faults_of(kind, &again));
	sample_encode(with, kind, &again, &twice);
	CHECK(twice.len == once.len && !memcmp(once.data, twice.data, once.len));
}

/* Whether jansson takes the text. Numbers of any size are numbers here. It passes over a NUL behind
 * a word, which RFC 8259 section 2 has no place for. */
static bool is_object(const char *text, size_t size) {
	json_t *json = memchr(text, '\0', size)
			   ? NULL
			   : json_loadb(text, size, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
	bool is_one = json_is_object(json);

	json_decref(json);
	return is_one;
}

static void check(enum sample_kind kind, const char *text, size_t size) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	size_t before = __sanitizer_get_current_allocated_bytes();
	union sample_value value;
	const char *why = "";
	int r = sample_decode(codec, arena, kind, text, size, &value, &why);

	CHECK(__sanitizer_get_current_allocated_bytes() - before <=
	      size * MEMORY_PER_BYTE + MEMORY_BASE);
	if (r) {
		CHECK(*why);
		CHECK(!is_object(text, size) || strncmp(why, "malformed", 9) != 0);
		return;
	}
	if (faults_of(kind, &value)) {
		check_faults(faults_of(kind, &value));
		return;
	}
	/* Claims and credential are judged by the handler. */
	CHECK(kind != SAMPLE_COMMAND || is_object(text, size));
	check_round_trip(arena, codec, kind, &value);
	if (kind == SAMPLE_EVENT)
		check_round_trip(arena, json_codec, kind, &value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	start();
	if (!size || *data != '{')
		return 0;
	for (int kind = SAMPLE_COMMAND; kind <= SAMPLE_EVENT; kind++)
		check((enum sample_kind)kind, (const char *)data, size);
	return 0;
}
