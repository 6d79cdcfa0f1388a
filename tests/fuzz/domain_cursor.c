/*
 * Cursors, times and UUIDs: a value that is read is written as it was, and the other way round.
 */
#include "base/clock.h"
#include "domain/cursor.h"
#include "fuzz.h"

static void check_cursor(const char *text) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct cursor cursor, again;
	const char *written;

	if (cursor_parse(text, &cursor))
		return;
	CHECK(!text[strspn(text,
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")]);
	written = cursor_format(arena, &cursor);
	CHECK(!cursor_parse(written, &again));
	CHECK(again.created_at_ms == cursor.created_at_ms && !uuid_compare(&again.id, &cursor.id));
	CHECK(!strcmp(cursor_format(arena, &again), written));
}

static void check_time(const char *text) {
	char written[CLOCK_ISO8601_SIZE];
	int64_t wall_ms;

	if (clock_parse_iso8601(text, &wall_ms))
		return;
	clock_format_iso8601(wall_ms, written);
	CHECK(!strcmp(text, written));
}

static void check_uuid(const char *text) {
	char written[UUID_TEXT_SIZE];
	struct uuid uuid;

	if (uuid_parse(text, &uuid))
		return;
	uuid_format(&uuid, written);
	CHECK(!strcasecmp(text, written));
}

/* Any instant that a record may hold. */
static void check_instant(const uint8_t *data, size_t size) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct cursor cursor = { 0 }, again;
	char written[CLOCK_ISO8601_SIZE];
	int64_t wall_ms;

	memcpy(&cursor, data, size < sizeof(cursor) ? size : sizeof(cursor));
	clock_format_iso8601(cursor.created_at_ms, written);
	CHECK(strlen(written) < sizeof(written));
	if (clock_parse_iso8601(written, &wall_ms))
		return;
	CHECK(wall_ms == cursor.created_at_ms);
	CHECK(!cursor_parse(cursor_format(arena, &cursor), &again));
	CHECK(again.created_at_ms == cursor.created_at_ms && !uuid_compare(&again.id, &cursor.id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(x_freep) char *text = fuzz_text(data, size);

	check_cursor(text);
	check_time(text);
	check_uuid(text);
	check_instant(data, size);
	return 0;
}
