#include "gateway/catalogue_watch.h"

#include "base/log.h"
#include "domain/state.h"

#include <stdatomic.h>

struct catalogue_watch {
	struct codec *codec;
	struct arena *arena; /* scratch */
	int64_t ours;
	bool *is_other; /* [partitions]; owned */
	int32_t partitions;
	int32_t newest; /* the partition of the last disagreement that is not told; -1: none */
	atomic_int count;
};

/* Returns the hash in the position; 0 where the record is none, or tells none. */
static int64_t read_catalogue(struct catalogue_watch *watch, const struct record *record) {
	struct state_record state;
	struct state_key key;
	const char *why;

	arena_reset(watch->arena);
	if (!record->value || state_key_parse(watch->arena, record->key, record->key_len, &key) ||
	    key.kind != STATE_POSITION ||
	    codec_decode_state(watch->codec, watch->arena, record->value, record->len, &state,
			       &why) ||
	    state.kind != STATE_POSITION)
		return 0;
	return state.position.catalogue;
}

static void make_room(struct catalogue_watch *watch, int32_t partition) {
	if (partition < watch->partitions)
		return;
	watch->is_other = x_realloc(watch->is_other, (size_t)partition + 1);
	memset(watch->is_other + watch->partitions, 0, (size_t)(partition + 1 - watch->partitions));
	watch->partitions = partition + 1;
}

void catalogue_watch_apply(struct catalogue_watch *watch, const struct record *record) {
	int64_t theirs = read_catalogue(watch, record);
	bool is_other = theirs != watch->ours;

	if (theirs == 0)
		return;
	make_room(watch, record->partition);
	if (watch->is_other[record->partition] == is_other)
		return;
	watch->is_other[record->partition] = is_other;
	atomic_fetch_add(&watch->count, is_other ? 1 : -1);
	if (is_other)
		watch->newest = record->partition;
}

void catalogue_watch_tell(struct catalogue_watch *watch) {
	if (watch->newest >= 0 && watch->is_other[watch->newest])
		log_error("a worker has other event.types than this gateway: all must have the "
			  "same",
			  "partition=%d partitions=%d", watch->newest,
			  catalogue_watch_count(watch));
	watch->newest = -1;
}

int catalogue_watch_count(const struct catalogue_watch *watch) {
	return atomic_load(&watch->count);
}

struct catalogue_watch *catalogue_watch_new(struct codec *codec, struct event_catalogue ours) {
	struct catalogue_watch *watch = x_calloc(1, sizeof(*watch));

	watch->codec = codec;
	watch->arena = arena_new();
	watch->ours = event_catalogue_hash(ours);
	watch->newest = -1;
	return watch;
}

void catalogue_watch_free(struct catalogue_watch *watch) {
	if (!watch)
		return;
	arena_free(watch->arena);
	free(watch->is_other);
	free(watch);
}
