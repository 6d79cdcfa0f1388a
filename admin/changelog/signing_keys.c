#include "changelog/signing_keys.h"

#include "signature/jwk.h"
#include "terminal/status.h"

struct collector {
	struct signing_keys *keys;
	struct arena *arena;
	struct codec *codec;
	int64_t now_ms;
	size_t capacity;
};

static int collect(void *userdata, const char *key, int32_t partition _unused_, const void *value,
		   size_t len) {
	struct collector *collector = userdata;
	struct signing_keys *keys = collector->keys;
	struct state_record record;
	const char *why = NULL;

	if (codec_decode_state(collector->codec, collector->arena, value, len, &record, &why) ||
	    record.kind != STATE_SIGNING_KEY) {
		terminal_complain("%s cannot be read: %s", key,
				  why ? why : "it holds no signing key");
		keys->unreadable++;
		return 0;
	}
	if (record.signing_key.expires_at_ms &&
	    record.signing_key.expires_at_ms <= collector->now_ms)
		return 0;
	keys->items = arena_grow(collector->arena, keys->items, keys->count, &collector->capacity,
				 sizeof(*keys->items));
	keys->items[keys->count++] = record.signing_key;
	return 0;
}

static int by_epoch_falling(const void *a, const void *b) {
	const struct signing_key *x = a, *y = b;

	return (x->epoch < y->epoch) - (x->epoch > y->epoch);
}

void signing_keys_take(struct signing_keys *keys, struct arena *arena, struct codec *codec,
		       struct state_fold *fold, int64_t now_ms) {
	struct collector collector = {
		.keys = keys, .arena = arena, .codec = codec, .now_ms = now_ms
	};

	*keys = (struct signing_keys){ 0 };
	state_fold_walk(fold, collect, &collector);
	if (keys->count)
		qsort(keys->items, keys->count, sizeof(*keys->items), by_epoch_falling);
}

void signing_keys_append_jwks(struct buffer *out, const struct signing_keys *keys) {
	buffer_append_string(out, "{\"keys\":[");
	for (size_t i = 0; i < keys->count; i++) {
		if (i)
			buffer_append_char(out, ',');
		jwk_append(out, keys->items[i].x, keys->items[i].kid);
	}
	buffer_append_string(out, "]}\n");
}
