#include "base/clock.h"
#include "command/command.h"
#include "command/dead_letter_walk.h"
#include "command/flags.h"
#include "command/newest.h"
#include "command/replay.h"
#include "kafka/record_codec.h"
#include "terminal/clean.h"
#include "terminal/output.h"
#include "terminal/table.h"

#include <inttypes.h>
#include <stdio.h>

enum { LIMIT_DEFAULT = 100, PREVIEW_BYTES = 64, LINE_MAX_BYTES = 64 * 1024 * 1024, COLUMNS = 7 };

static const struct flag list_flags[] = {
	DEAD_LETTER_FILTER_FLAGS,
	{ "limit", "N", "the newest N (default 100)" },
	{ 0 },
};

/* A letter until it is printed: its line with --json, else its cells. */
struct row {
	char *cells[COLUMNS]; /* owned */
};

struct listing {
	const struct invocation *invocation;
	struct arena *arena;
	struct newest *rows;
};

static void free_row(void *item) {
	struct row *row = item;

	for (size_t i = 0; i < COLUMNS; i++)
		free(row->cells[i]);
	free(row);
}

static void append_time(struct buffer *out, const char *name, int64_t wall_ms) {
	char text[CLOCK_ISO8601_SIZE];

	clock_format_iso8601(wall_ms, text);
	buffer_printf(out, wall_ms < 0 ? ",\"%s\":null" : ",\"%s\":\"%s\"", name, text);
}

static void append_string(struct buffer *out, const char *name, const char *value) {
	buffer_printf(out, ",\"%s\":", name);
	buffer_append_json_string_or_null(out, value);
}

/* Owned by the caller; NULL after printing that it is too large. */
static char *json_line(struct arena *arena, const struct dead_letter *letter) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(LINE_MAX_BYTES);
	const struct record *record = letter->record;

	buffer_printf(&out, "{\"partition\":%d,\"offset\":%" PRId64, record->partition,
		      record->offset);
	append_time(&out, "time", record->timestamp_ms);
	append_string(&out, "topic", letter->topic);
	buffer_printf(&out, ",\"sourcePartition\":%d,\"sourceOffset\":%" PRId64, letter->partition,
		      letter->offset);
	append_time(&out, "sourceTime", letter->timestamp_ms);
	append_string(&out, "reason", letter->reason);
	append_string(&out, "key", dead_letter_key(arena, letter));
	append_string(&out, "tenantId", letter->tenant_id);
	buffer_printf(&out, ",\"bytes\":%" PRId64 ",\"keptBytes\":%zu", letter->whole_len,
		      record->len);
	buffer_printf(&out, ",\"keyBytes\":%" PRId64 ",\"keptKeyBytes\":%zu", letter->whole_key_len,
		      record->key_len);
	buffer_printf(&out, ",\"droppedHeaders\":%" PRId64, letter->dropped_headers);
	if (letter->was_replayed)
		buffer_printf(&out, ",\"replayOf\":\"%d:%" PRId64 "\"", letter->replay_partition,
			      letter->replay_offset);
	else
		buffer_append_string(&out, ",\"replayOf\":null");
	append_string(&out, "preview",
		      record->value
			  ? dead_letter_preview(arena, record->value, record->len, PREVIEW_BYTES)
			  : NULL);
	buffer_append_char(&out, '}');
	return terminal_check_buffer("dead-letters list", &out) ? NULL : TAKE(out.data);
}

static void fill_cells(struct row *row, struct arena *arena, const struct dead_letter *letter) {
	const struct record *record = letter->record;
	const char *key = dead_letter_key(arena, letter);
	char time[CLOCK_ISO8601_SIZE];

	clock_format_iso8601(record->timestamp_ms, time);
	row->cells[0] = x_asprintf("%d:%" PRId64, record->partition, record->offset);
	row->cells[1] = x_strdup(time);
	row->cells[2] =
	    x_asprintf("%s %d:%" PRId64, letter->topic, letter->partition, letter->offset);
	row->cells[3] = x_strdup(key ? key : "-");
	row->cells[4] = dead_letter_is_cut(letter) ? x_strdup(dead_letter_missing(arena, letter))
						   : x_asprintf("%zu", record->len);
	row->cells[5] = letter->was_replayed
			    ? x_asprintf("%s (replay of %d:%" PRId64 ")", letter->reason,
					 letter->replay_partition, letter->replay_offset)
			    : x_strdup(letter->reason);
	row->cells[6] =
	    x_strdup(dead_letter_preview(arena, record->value, record->len, PREVIEW_BYTES));
	for (size_t i = 0; i < COLUMNS; i++)
		terminal_clean(row->cells[i]);
}

static enum admin_status keep(void *userdata, const struct dead_letter *letter) {
	struct listing *listing = userdata;
	const struct newest_place place = { .time_ms = letter->record->timestamp_ms,
					    .partition = letter->record->partition,
					    .offset = letter->record->offset };
	struct row *row = x_calloc(1, sizeof(*row));

	if (listing->invocation->json)
		row->cells[0] = json_line(listing->arena, letter);
	else
		fill_cells(row, listing->arena, letter);
	if (!row->cells[0]) {
		free_row(row);
		return ADMIN_REFUSED;
	}
	newest_add(listing->rows, &place, row);
	return ADMIN_OK;
}

static void print_lines(const struct listing *listing) {
	for (size_t i = 0, count = newest_sort(listing->rows); i < count; i++)
		puts(((const struct row *)newest_get(listing->rows, i))->cells[0]);
}

static void print_table(const struct listing *listing) {
	static const char *const head[COLUMNS] = { "AT",    "TIME",   "FROM", "KEY",
						   "BYTES", "REASON", "VALUE" };
	_cleanup_(table_destroy) struct table table = table_new(COLUMNS, head);
	size_t count = newest_sort(listing->rows);
	uint64_t added = newest_added(listing->rows);

	for (size_t i = 0; i < count; i++)
		table_add(
		    &table,
		    (const char *const *)((const struct row *)newest_get(listing->rows, i))->cells);
	table_print(&table);
	if (count < added)
		printf("%" PRIu64 " older: --limit %" PRIu64 " shows all\n", added - count, added);
}

static enum admin_status list_with(const struct invocation *invocation,
				   struct dead_letter_filter *filter, size_t limit) {
	_cleanup_(codec_freep) struct codec *codec = record_codec_new(invocation->config);
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(newest_freep) struct newest *rows = newest_new(limit, free_row);
	struct listing listing = { .invocation = invocation, .arena = arena, .rows = rows };
	const struct dead_letter_walk walk = {
		.filter = filter, .codec = codec, .arena = arena, .fn = keep, .userdata = &listing
	};
	enum admin_status status = codec ? dead_letter_walk(invocation, &walk) : ADMIN_USAGE;

	if (status)
		return status;
	if (invocation->json)
		print_lines(&listing);
	else
		print_table(&listing);
	return dead_letter_filter_complain_unseen(filter);
}

static enum admin_status list_letters(const struct invocation *invocation) {
	_cleanup_(dead_letter_filter_destroy) struct dead_letter_filter filter;
	enum admin_status status = dead_letter_filter_read(invocation, &filter);
	size_t limit;

	if (!status)
		status = flags_read_limit(invocation, LIMIT_DEFAULT, &limit);
	return status ? status : list_with(invocation, &filter, limit);
}

static const struct flag replay_flags[] = {
	DEAD_LETTER_FILTER_FLAGS,
	{ "all", NULL, "every letter; required without any of the flags above" },
	{ "rekey", NULL,
	  "use the command's tenantId as key, for letters whose key was missing or wrong" },
	{ "dry-run", NULL, "only print the letters that would be sent" },
	{ 0 },
};

const struct subcommand dead_letters_subcommands[] = {
	{
	    .family = "dead-letters",
	    .verb = "list",
	    .summary = "list records that could not be processed, the newest last",
	    .details = "With --tenant only letters with that key, or whose command has that "
		       "tenantId. The table shows the first 64 bytes of a value.\n"
		       "With --json a line for each letter: partition, offset, time; topic, "
		       "sourcePartition, sourceOffset and sourceTime of the\n"
		       "original; reason, key, tenantId (null where the value is no command), "
		       "bytes, keptBytes (fewer for a letter that was cut),\n"
		       "keyBytes, keptKeyBytes (likewise), droppedHeaders,\n"
		       "replayOf (\"PARTITION:OFFSET\" of the letter of which it is a replay, or "
		       "null), preview.\n",
	    .examples = "dead-letters list --since 2h\n"
			"dead-letters list --tenant acme --reason 'key is missing'\n"
			"dead-letters list --at 0:1207 --json\n",
	    .flags = list_flags,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = list_letters,
	},
	{
	    .family = "dead-letters",
	    .verb = "replay",
	    .summary = "send dead letters to their topic again, once the cause is removed",
	    .details = "The original bytes, key and headers go to the original topic, into the "
		       "partition of the key, with the headers\n"
		       "posthorn.replay.partition, .offset (of the letter) and .timestamp. A "
		       "command that has been applied meanwhile is answered\n"
		       "as a repeat; one that still cannot be processed becomes another letter. "
		       "The letters stay, so that the same replay sends\n"
		       "them once more.\n"
		       "A letter that was cut, because it was too large for its topic, cannot be "
		       "replayed: it is reported, the others are sent,\n"
		       "and the exit status is 1. Letters that no broker has acknowledged in "
		       "--timeout are reported, too. Ctrl-C ends the replay\n"
		       "when the sent letters are acknowledged, with status 130.\n"
		       "With --json a line for each letter: partition, offset, topic, key, result "
		       "(sent, would-be-sent, not-sent), why.\n",
	    .examples = "dead-letters replay --at 0:1207,3:15 --dry-run\n"
			"dead-letters replay --reason murmur2_random --since 1d\n"
			"dead-letters replay --tenant acme --rekey\n",
	    .flags = replay_flags,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = replay,
	},
	{ 0 },
};
