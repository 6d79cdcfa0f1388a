#include "command/dead_letter.h"

#include "base/number.h"
#include "base/utf8.h"

#include <ctype.h>
#include <inttypes.h>

enum { KEY_SHOWN_MAX = 1024, UTF8_CHARACTER_MAX = 4 };

static const char *header_text(struct arena *arena, const struct record *record, const char *name) {
	struct record_header header;

	if (!record_header_get(record, name, &header) || !header.value)
		return "";
	if (!utf8_is_text(header.value, header.len))
		return dead_letter_preview(arena, header.value, header.len, header.len);
	return arena_strndup(arena, header.value, header.len);
}

static int64_t header_number(struct arena *arena, const struct record *record, const char *name) {
	const char *text = header_text(arena, record, name);
	int64_t number;

	return number_parse(text, 0, INT64_MAX, &number) ? -1 : number;
}

/* Whether the original was read from this topic. */
static bool came_from(const struct config *config, const char *topic, enum topic input) {
	_cleanup_(x_freep) char *name = topic_name(config->topic_prefix, input);

	return !strcmp(topic, name);
}

static void find_input(const struct config *config, struct dead_letter *letter) {
	static const enum topic inputs[] = { TOPIC_ADMIN, TOPIC_ISSUANCE, TOPIC_EVENTS };

	for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
		if (came_from(config, letter->topic, inputs[i])) {
			letter->is_input = true;
			letter->input = inputs[i];
		}
	}
}

static const char *decode_tenant(struct codec *codec, struct arena *arena,
				 const struct dead_letter *letter) {
	const struct record *record = letter->record;
	struct event_command event;
	struct issuance issuance;
	struct command command;
	const char *why;

	if (!letter->is_input || !record->value || dead_letter_is_cut(letter))
		return NULL;
	if (letter->input == TOPIC_ADMIN)
		return codec_decode_command(codec, arena, record->value, record->len, &command,
					    &why)
			   ? NULL
			   : command.envelope.tenant_id;
	if (letter->input == TOPIC_EVENTS)
		return codec_decode_event_command(codec, arena, record->value, record->len, &event,
						  &why)
			   ? NULL
			   : event.envelope.tenant_id;
	return codec_decode_issuance(codec, arena, record->value, record->len, &issuance, &why)
		   ? NULL
		   : issuance.envelope.tenant_id;
}

void dead_letter_read(const struct config *config, struct codec *codec, struct arena *arena,
		      const struct record *record, struct dead_letter *out) {
	int64_t truncated = header_number(arena, record, "posthorn.error.truncated");
	int64_t truncated_key = header_number(arena, record, "posthorn.error.truncated.key");
	int64_t dropped_headers = header_number(arena, record, "posthorn.error.dropped.headers");
	struct record_header replay;

	*out = (struct dead_letter){
		.record = record,
		.reason = header_text(arena, record, "posthorn.error.reason"),
		.topic = header_text(arena, record, "posthorn.error.topic"),
		.partition = (int32_t)header_number(arena, record, "posthorn.error.partition"),
		.offset = header_number(arena, record, "posthorn.error.offset"),
		.timestamp_ms = header_number(arena, record, "posthorn.error.timestamp"),
		.whole_len = truncated >= 0 ? truncated : (int64_t)record->len,
		.whole_key_len = truncated_key >= 0 ? truncated_key : (int64_t)record->key_len,
		.dropped_headers = MAX(dropped_headers, (int64_t)0),
		.was_replayed = record_header_get(record, "posthorn.replay.offset", &replay),
		.replay_partition =
		    (int32_t)header_number(arena, record, "posthorn.replay.partition"),
		.replay_offset = header_number(arena, record, "posthorn.replay.offset"),
	};
	find_input(config, out);
	out->tenant_id = decode_tenant(codec, arena, out);
}

bool dead_letter_is_cut(const struct dead_letter *letter) {
	return letter->whole_len > (int64_t)letter->record->len ||
	       letter->whole_key_len > (int64_t)letter->record->key_len ||
	       letter->dropped_headers > 0;
}

static const char *missing_part(struct arena *arena, const char *before, size_t kept, int64_t whole,
				const char *what) {
	if (whole <= (int64_t)kept)
		return before;
	return arena_printf(arena, "%s%s%zu of %" PRId64 " bytes of its %s", before,
			    *before ? ", " : "", kept, whole, what);
}

const char *dead_letter_missing(struct arena *arena, const struct dead_letter *letter) {
	const char *text = missing_part(arena, "", letter->record->len, letter->whole_len, "value");

	text = missing_part(arena, text, letter->record->key_len, letter->whole_key_len, "key");
	if (letter->dropped_headers == 0)
		return text;
	return arena_printf(arena, "%s%s%" PRId64 " header%s dropped", text, *text ? ", " : "",
			    letter->dropped_headers, letter->dropped_headers == 1 ? "" : "s");
}

const char *dead_letter_preview(struct arena *arena, const void *bytes, size_t len, size_t max) {
	char *text = arena_strndup(arena, bytes ? bytes : "", MIN(len, max));

	for (size_t i = 0; i < MIN(len, max); i++)
		text[i] = (char)((unsigned char)text[i] < 0x80 && isprint((unsigned char)text[i])
				     ? text[i]
				     : '.');
	return text;
}

const char *dead_letter_key(struct arena *arena, const struct dead_letter *letter) {
	const struct record *record = letter->record;

	char *text;

	if (!record->key)
		return NULL;
	if (!utf8_is_text(record->key, record->key_len))
		return dead_letter_preview(arena, record->key, record->key_len, KEY_SHOWN_MAX);
	text = arena_strndup(arena, record->key,
			     MIN(record->key_len, (size_t)KEY_SHOWN_MAX + UTF8_CHARACTER_MAX));
	text[utf8_prefix_len(text, KEY_SHOWN_MAX)] = '\0';
	return text;
}
