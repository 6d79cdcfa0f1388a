/* Bytes that mean harm: they are refused with a reason, and cost no more memory or time than their
 * size justifies. */
#include "avro/canonical.h"
#include "avro/check.h"
#include "avro/fingerprint.h"
#include "avro/frame.h"
#include "avro_samples.h"
#include "unit.h"

/* The bytes that were asked of the allocator: the linker sends malloc, calloc and realloc here
 * (tests/unit/CMakeLists.txt). */
static size_t allocated;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size) {
	allocated += size;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
	allocated += count * size;
	return __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size) {
	allocated += size;
	return __real_realloc(p, size);
}

static struct codec *codec;
static struct arena *arena;

static int setup(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);

	arena = arena_new();
	return codec_new(NULL, &codec, &problems);
}

static int teardown(void **state _unused_) {
	codec_free(codec);
	arena_free(arena);
	return 0;
}

/* Decodes from memory that ends where the record does, so that a sanitizer sees a byte too much. */
static int decode(enum sample_kind kind, const void *bytes, size_t len, const char **why) {
	_cleanup_(x_freep) void *exact = x_malloc(len);
	union sample_value value;
	size_t before;
	int r;

	memcpy(exact, bytes, len);
	arena_reset(arena);
	*why = "";
	before = allocated;
	r = sample_decode(codec, arena, kind, exact, len, &value, why);
	assert_true(allocated - before < 64 * len + 64 * 1024);
	assert_true(r == 0 || (r == CODEC_E_REFUSED && **why));
	return r;
}

static void every_truncation_is_refused(void **state _unused_) {
	for (size_t i = 0; i < SAMPLE_COUNT; i++) {
		_cleanup_(buffer_destroy) struct buffer record = BUFFER_INIT(65536);
		const char *why;

		sample_encode(codec, samples[i].kind, samples[i].value, &record);
		for (size_t len = 0; len < record.len; len++)
			assert_int_equal(decode(samples[i].kind, record.data, len, &why),
					 CODEC_E_REFUSED);
		assert_int_equal(decode(samples[i].kind, record.data, record.len, &why), 0);
		buffer_append_char(&record, 0);
		assert_int_equal(decode(samples[i].kind, record.data, record.len, &why),
				 CODEC_E_REFUSED);
		assert_non_null(strstr(why, "left over"));
	}
}

static uint64_t random_state = 0x9e3779b97f4a7c15;

/* xorshift64: the same sequence every time. */
static size_t random_below(size_t bound) {
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (size_t)(random_state % bound);
}

static const char *const evil_numbers[] = {
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", /* the lowest long */
	"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", /* the highest long */
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	"\xfe\xff\xff\xff\x0f",
	"\xff\xff\xff\xff\x0f",
	"\x80\x80\x80\x80\x10",
	"\x01",
	"\x80\x80\x80\x0f",
};

static size_t mutate(uint8_t *bytes, size_t len, size_t room) {
	size_t at = FRAME_HEADER_SIZE + random_below(len - FRAME_HEADER_SIZE);
	const char *evil = evil_numbers[random_below(ARRAY_LEN(evil_numbers))];
	size_t evil_len = strlen(evil), cut;

	switch (random_below(5)) {
	case 0:
		bytes[at] ^= (uint8_t)(1 << random_below(8));
		return len;
	case 1:
		bytes[at] = (uint8_t)random_below(256);
		return len;
	case 2: /* a number where none, or another, was */
		if (len + evil_len > room)
			return len;
		memmove(bytes + at + evil_len, bytes + at, len - at);
		memcpy(bytes + at, evil, evil_len);
		return len + evil_len;
	case 3: /* a piece less */
		cut = random_below(len - at);
		memmove(bytes + at, bytes + at + cut, len - at - cut);
		return len - cut;
	default: /* a piece twice */
		cut = random_below(len - at);
		if (len + cut > room)
			return len;
		memmove(bytes + at + cut, bytes + at, len - at);
		return len + cut;
	}
}

static void random_mutations(void **state _unused_) {
	enum { ROUNDS = 60000, ROOM = 4096 };
	size_t understood = 0;

	for (size_t round = 0; round < ROUNDS; round++) {
		const struct sample *sample = &samples[round % SAMPLE_COUNT];
		_cleanup_(buffer_destroy) struct buffer record = BUFFER_INIT(ROOM);
		uint8_t bytes[ROOM];
		const char *why;
		size_t len;

		sample_encode(codec, sample->kind, sample->value, &record);
		memcpy(bytes, record.data, record.len);
		len = record.len;
		for (size_t n = 1 + random_below(4); n; n--)
			len = mutate(bytes, len, sizeof(bytes));
		understood += !decode(sample->kind, bytes, len, &why);
	}
	/* Both must happen, or the mutations try nothing. */
	assert_in_range(understood, ROUNDS / 100, ROUNDS / 2);
}

#define HEX_MAX "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"
#define HEX_MIN "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *name, *bytes;
	size_t len;
	const char *why;
} claims[] = {
	{ "nothing", BYTES(""), "ends inside a number" },
	{ "a string of a gigabyte", BYTES("\x80\x80\x80\x80\x08"), "a length goes past its end" },
	{ "a string of all memory", BYTES(HEX_MAX), "a length goes past its end" },
	{ "a negative length", BYTES("\x01"), "a length is negative" },
	{ "the lowest length", BYTES(HEX_MIN), "a length is negative" },
	{ "a length of 11 bytes", BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"),
	  "longer than 64 bits" },
	{ "a length of 65 bits", BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02"),
	  "longer than 64 bits" },
	{ "bad UTF-8", BYTES("\x02\xff\x02t\0\0\0\x08\x02w"), "not UTF-8" },
	{ "a surrogate", BYTES("\x06\xed\xa0\x80\x02t\0\0\0\x08\x02w"), "not UTF-8" },
	{ "NUL in a string",
	  BYTES("\x06"
		"a\0b\x02t\0\0\0\x08\x02w"),
	  "without NUL" },
	{ "a union's index past its branches",
	  BYTES("\x02"
		"c\x02t\x04"),
	  "union's index" },
	{ "a negative index",
	  BYTES("\x02"
		"c\x02t\x01"),
	  "union's index" },
	{ "an operation that there is not",
	  BYTES("\x02"
		"c\x02t\0\0\0\x10"),
	  "union's index" },
	{ "sixteen million events",
	  BYTES("\x02"
		"c\x02t\0\0\0\0\x80\x80\x80\x10"),
	  "more elements than bytes" },
	{ "minus sixteen million events",
	  BYTES("\x02"
		"c\x02t\0\0\0\0\xff\xff\xff\x0f\x02\0\0\0"),
	  "more elements than bytes" },
	{ "the lowest count",
	  BYTES("\x02"
		"c\x02t\0\0\0\0" HEX_MIN "\x02"),
	  "no positive form" },
	{ "a block of a negative size",
	  BYTES("\x02"
		"c\x02t\0\0\0\0\x01\x01\x02"
		"e\0\x02u\0"),
	  "a block goes past its end" },
	{ "a block of a gigabyte",
	  BYTES("\x02"
		"c\x02t\0\0\0\0\x01\x80\x80\x80\x80\x08\x02"
		"e\0\x02u\0"),
	  "a block goes past its end" },
	{ "a block that is shorter than it says",
	  BYTES("\x02"
		"c\x02t\0\0\0\0\x01\x08\x02"
		"e\0\x02u\0"),
	  "not as long as it says" },
	{ "a boolean of 2",
	  BYTES("\x02"
		"c\x02t\0\0\0\0\0\x02u\x02"),
	  "neither 0 nor 1" },
	{ "an int of 33 bits",
	  BYTES("\x02"
		"c\x02t\0\0\0\x02\x02\x80\x80\x80\x80\x20\0"),
	  "longer than 32 bits" },
	{ "bytes left over",
	  BYTES("\x02"
		"c\x02t\0\0\0\x08\x02ww"),
	  "left over" },
};

static void claims_of_a_command(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
		_cleanup_(buffer_destroy) struct buffer record = BUFFER_INIT(4096);
		const char *why;

		print_message("%s\n", claims[i].name);
		codec_encode_command(codec, &sample_commands[0], &record);
		record.len = FRAME_HEADER_SIZE;
		buffer_append(&record, claims[i].bytes, claims[i].len);
		assert_int_equal(decode(SAMPLE_COMMAND, record.data, record.len, &why),
				 CODEC_E_REFUSED);
		assert_non_null(strstr(why, claims[i].why));
	}
}

static void frames(void **state _unused_) {
	static const struct {
		const char *name, *bytes;
		size_t len;
		const char *why;
	} rows[] = {
		{ "empty", BYTES(""), "null or empty" },
		{ "JSON behind a blank", BYTES(" {\"commandId\":1}"),
		  "unknown frame: it begins with 20" },
		{ "Confluent", BYTES("\0\0\0\x01\x02rest"),
		  "a Confluent frame with schema id 258, and a schema registry is not configured "
		  "(schema.registry.url)" },
		{ "Confluent, cut off", BYTES("\0\0\0"), "unknown frame: it begins with 00" },
		{ "a later single-object encoding",
		  BYTES("\xc3\x02"
			"12345678rest"),
		  "unknown frame" },
		{ "a container file", BYTES("Obj\x01"), "unknown frame: it begins with 4f" },
		{ "a header that is cut off",
		  BYTES("\xc3\x01"
			"1234567"),
		  "cut off" },
		{ "one byte of a header", BYTES("\xc3"), "cut off" },
		{ "an unknown schema", BYTES("\xc3\x01\x01\x02\x03\x04\x05\x06\x07\x08"),
		  "no schema is known with the fingerprint 0102030405060708 (bytes 3 to 10)" },
		{ "another record's schema", BYTES("\xc3\x01\x47\xa1\x96\xa4\x7e\x34\x3d\x0b"),
		  "it is of the schema CredentialIssuanceCommand, not of WebhookCommand" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *why;

		print_message("%s\n", rows[i].name);
		assert_int_equal(decode(SAMPLE_COMMAND, rows[i].bytes, rows[i].len, &why),
				 CODEC_E_REFUSED);
		assert_non_null(strstr(why, rows[i].why));
	}
}

/* The most that a byte can be made to cost: arrays of the smallest elements. decode() bounds the
 * memory. */
static void the_most_memory_for_a_byte(void **state _unused_) {
	enum { COUNT = 100000 };
	_cleanup_(x_freep) const char **events = x_malloc(COUNT * sizeof(*events));
	_cleanup_(x_freep) struct problem_detail *details = x_malloc(COUNT * sizeof(*details));
	struct command command = { .envelope = { "c", "t" },
				   .operation = OPERATION_CREATE_WEBHOOK,
				   .events = events,
				   .event_count = COUNT,
				   .url = "u" };
	struct problem problem = { 400, "", "", "", details, COUNT, COUNT };
	struct analytic_event event = { .tenant_id = "t",
					.data = { EVENT_DATA_PROBLEM, .problem = &problem } };

	for (size_t len = 0; len < 3; len++) {
		_cleanup_(buffer_destroy) struct buffer record = BUFFER_INIT(16 << 20);
		const char *const text = &"aa"[2 - len], *why;

		for (size_t i = 0; i < COUNT; i++) {
			events[i] = text;
			details[i] = (struct problem_detail){ text, text, text, text };
		}
		codec_encode_command(codec, &command, &record);
		assert_int_equal(decode(SAMPLE_COMMAND, record.data, record.len, &why), 0);
		buffer_clear(&record);
		codec_encode_event(codec, &event, &record);
		assert_int_equal(decode(SAMPLE_EVENT, record.data, record.len, &why), 0);
	}
}

/* The value of one would be read as the other's. */
static void an_event_with_data_of_two_kinds(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer published = BUFFER_INIT(4096),
						secret = BUFFER_INIT(4096);
	struct analytic_event event = { .tenant_id = "t",
					.data = { EVENT_DATA_PUBLISHED,
						  .published = { .event_type = "Revoked" } } };
	const char *why;
	size_t at = 0;

	codec_encode_event(codec, &event, &published);
	event.data = (struct event_data){ EVENT_DATA_SECRET, .secret = { .epoch = 1 } };
	codec_encode_event(codec, &event, &secret);
	while (published.data[at] == secret.data[at])
		at++;
	published.len--; /* no secret */
	buffer_append(&published, secret.data + at + 1, secret.len - at - 1);
	assert_int_equal(decode(SAMPLE_EVENT, published.data, published.len, &why),
			 CODEC_E_REFUSED);
	assert_non_null(strstr(why, "AnalyticEvent.secret stands beside data of another kind"));
}

/* A JSON of SIZE bytes: `begin`, then `unit` as often as there is room, then `end`. */
static void the_most_memory_for_a_byte_of_json(void **state _unused_) {
	enum { SIZE = 512 * 1024 };
	static const struct {
		const char *name, *begin, *unit, *end;
		int r;
	} rows[] = {
		{ "deep arrays", "{\"a\":", "[", "", CODEC_E_REFUSED },
		{ "deep objects", "", "{\"a\":", "", CODEC_E_REFUSED },
		{ "small objects", "{\"commandId\":\"c\",\"tenantId\":\"t\",\"x\":[0", ",{}", "]}",
		  0 },
		{ "small objects for events",
		  "{\"commandId\":\"c\",\"tenantId\":\"t\",\"operation\":{\"type\":"
		  "\"CreateWebhook\",\"events\":[0",
		  ",{}", "]}}", 0 },
		{ "empty events",
		  "{\"commandId\":\"c\",\"tenantId\":\"t\",\"operation\":{\"type\":"
		  "\"CreateWebhook\",\"events\":[\"\"",
		  ",\"\"", "]}}", 0 },
		{ "numbers for events",
		  "{\"commandId\":\"c\",\"tenantId\":\"t\",\"operation\":{\"type\":"
		  "\"CreateWebhook\",\"events\":[0",
		  ",0", "]}}", 0 },
		{ "small members", "{\"commandId\":\"c\",\"tenantId\":\"t\"", ",\"\":0", "}", 0 },
		{ "members twice", "{\"commandId\":\"c\",\"tenantId\":\"t\"", ",\"timestamp\":0",
		  "}", 0 },
		{ "a long name", "{\"commandId\":\"c\",\"tenantId\":\"t\",\"", "x", "\":0}", 0 },
		{ "a long string of escapes", "{\"commandId\":\"c\",\"tenantId\":\"", "\\n", "\"}",
		  0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(buffer_destroy) struct buffer json = BUFFER_INIT(SIZE + 1024);
		const char *why;

		print_message("%s\n", rows[i].name);
		buffer_append_string(&json, rows[i].begin);
		while (json.len < SIZE)
			buffer_append_string(&json, rows[i].unit);
		buffer_append_string(&json, rows[i].end);
		assert_int_equal(decode(SAMPLE_COMMAND, json.data, json.len, &why), rows[i].r);
	}
}

static const char *check(const char *json, const char *bytes, size_t len) {
	const struct schema *schema;
	const char *why;

	arena_reset(arena);
	assert_int_equal(schema_parse(arena, json, strlen(json), &schema, &why), 0);
	return check_bytes(schema, bytes, len);
}

/* Schemas of others, which may say things that ours do not. */
static void the_walk_is_bounded(void **state _unused_) {
	static const char list[] = "{\"type\":\"record\",\"name\":\"L\",\"fields\":[{\"name\":"
				   "\"next\",\"type\":[\"null\",\"L\"]}]}";
	static const char tree[] = "{\"type\":\"record\",\"name\":\"T\",\"fields\":[{\"name\":"
				   "\"a\",\"type\":\"T\"},{\"name\":\"b\",\"type\":\"T\"}]}";
	static const char nulls[] = "{\"type\":\"array\",\"items\":\"null\"}";
	static const char empty[] =
	    "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"E\",\"fields\":[]}}";
	static const char squares[] =
	    "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":\"null\"}}";
	static const char maps[] =
	    "{\"type\":\"map\",\"values\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}}";
	enum { SIZE = 512 * 1024 };
	_cleanup_(x_freep) char *bytes = x_malloc(SIZE);

	memset(bytes, 2, SIZE);
	assert_string_equal(check(list, bytes, SIZE), "it is nested too deeply");
	assert_null(check(list, "\x02\x02\x02", 4));
	assert_string_equal(check(tree, bytes, SIZE), "it is nested too deeply");
	assert_null(check(nulls, "\x02\x00", 2));
	assert_string_equal(check(nulls, "\x80\x80\x80\x80\x08\x00", 6),
			    "a count claims more elements than bytes are left");
	assert_string_equal(check(empty, "\xfe\xff\xff\xff\x0f\x00", 6),
			    "a count claims more elements than bytes are left");
	assert_null(check(maps, "\x02\x02k\x00\x00", 5));
	assert_string_equal(check(maps, "\x02\x02k\x02\x00", 5), "an enum's index is out of range");
	assert_string_equal(check(maps, "\x02\x02\xff\x00\x00", 5),
			    "a string is not UTF-8 without NUL");
	/* Each inner array claims as many nulls as bytes are left: without a bound on the work this
	 * takes minutes. */
	memcpy(bytes, "\x80\x80\x04", 3); /* 32,768 arrays */
	for (size_t at = 3; at + 4 <= SIZE; at += 4)
		memcpy(bytes + at, "\x80\x80\x04\x00", 4); /* 32,768 nulls and the end */
	assert_string_equal(check(squares, bytes, SIZE), "it claims too many values for its size");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(random_mutations),
		cmocka_unit_test(claims_of_a_command),
		cmocka_unit_test(frames),
		cmocka_unit_test(the_most_memory_for_a_byte),
		cmocka_unit_test(an_event_with_data_of_two_kinds),
		cmocka_unit_test(the_most_memory_for_a_byte_of_json),
		cmocka_unit_test(the_walk_is_bounded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
