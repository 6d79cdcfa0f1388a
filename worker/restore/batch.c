#include "restore/batch.h"

#include "base/clock.h"
#include "base/invariant.h"
#include "base/log.h"

#include <sys/eventfd.h>

enum { CHUNKS = 2, CHUNK_RECORDS = 256 };

/* A decoded entry of the fold. */
struct batch_item {
	int32_t partition;
	struct change change;
	struct state_record record; /* the change's, unless it is a tombstone */
	const void *value;          /* in the fold */
	size_t value_len;
};

struct batch_chunk {
	struct arena *arena;
	struct batch_item items[CHUNK_RECORDS];
	size_t count;
};

void batch_init(struct batch *batch, struct codec *codec, struct restore_metrics *metrics,
		int wake_fd) {
	*batch = (struct batch){
		.codec = codec, .metrics = metrics, .wake_fd = wake_fd, .fold = fold_new()
	};
	batch->chunks = x_calloc(CHUNKS, sizeof(*batch->chunks));
	for (int i = 0; i < CHUNKS; i++)
		batch->chunks[i].arena = arena_new();
}

void batch_destroy(struct batch *batch) {
	fold_free(batch->fold);
	for (int i = 0; i < CHUNKS; i++)
		arena_free(batch->chunks[i].arena);
	free(batch->chunks);
	free(batch->sources);
}

void batch_clear_sources(struct batch *batch) {
	batch->source_count = 0;
}

void batch_add_source(struct batch *batch, uint32_t source, int32_t partition) {
	if (batch->source_count == batch->source_capacity) {
		batch->source_capacity = batch->source_capacity ? batch->source_capacity * 2 : 16;
		batch->sources =
		    x_realloc(batch->sources, batch->source_capacity * sizeof(*batch->sources));
	}
	batch->sources[batch->source_count++] =
	    (struct batch_source){ .source = source, .partition = partition };
}

void batch_take_fold(struct batch *batch, struct fold **read) {
	struct fold *empty = batch->fold;

	invariant(fold_count(empty) == 0, "a batch is written whole before the next one");
	batch->fold = *read;
	*read = empty;
}

bool batch_is_empty(const struct batch *batch) {
	return fold_count(batch->fold) == 0;
}

static struct batch_source *find_source(const struct batch *batch, uint32_t source) {
	for (size_t i = 0; i < batch->source_count; i++)
		if (batch->sources[i].source == source)
			return &batch->sources[i];
	return NULL;
}

/* Returns whether there is something to apply: not for a source that is torn, or not named. */
static bool decode(struct batch *batch, struct batch_chunk *chunk, const struct fold_entry *entry,
		   struct batch_item *out) {
	struct batch_source *source = find_source(batch, entry->source);
	const char *why = "the key";

	if (!source || source->torn)
		return false;
	*out = (struct batch_item){ .partition = source->partition,
				    .value = entry->value,
				    .value_len = entry->value_len };
	if (state_key_parse(chunk->arena, entry->key, entry->key_len, &out->change.key) ||
	    (entry->value && codec_decode_state(batch->codec, chunk->arena, entry->value,
						entry->value_len, &out->record, &why))) {
		log_error("changelog record cannot be decoded", "partition=%d key=%s error=%s",
			  source->partition, log_quote(entry->key), log_quote(why));
		source->torn = "a changelog record cannot be decoded";
		return false;
	}
	out->change.record = entry->value ? &out->record : NULL;
	return true;
}

/* Decodes the next entries; an empty chunk is the last. The fold is not asked for an entry when it
 * has none: that would free the entries that are still to be applied. */
static void fill_chunk(struct batch *batch, struct batch_chunk *chunk) {
	struct fold_entry entry;

	arena_reset(chunk->arena);
	chunk->count = 0;
	while (chunk->count < CHUNK_RECORDS && fold_count(batch->fold) > 0 &&
	       fold_take(batch->fold, &entry))
		chunk->count += decode(batch, chunk, &entry, &chunk->items[chunk->count]);
}

static int apply_chunk(struct batch *batch, const struct batch_chunk *chunk) {
	int r = 0;

	for (size_t i = 0; i < chunk->count && r == 0; i++) {
		const struct batch_item *item = &chunk->items[i];

		r = replica_apply(batch->replica, item->partition, &item->change, item->value,
				  item->value_len);
	}
	atomic_fetch_add_explicit(&batch->metrics->records, chunk->count, memory_order_relaxed);
	return r;
}

int batch_write(struct batch *batch, int64_t deadline_ms) {
	struct batch_chunk *chunk = batch->chunks;

	while (!batch_is_empty(batch)) {
		int r;

		fill_chunk(batch, chunk);
		r = apply_chunk(batch, chunk);
		if (r < 0)
			return r;
		if (clock_monotonic_ms() >= deadline_ms && !batch_is_empty(batch))
			return 1;
	}
	fold_clear(batch->fold);
	return 0;
}

/* A signal handler may interrupt the wait. */
static void wait_for(sem_t *semaphore) {
	while (sem_wait(semaphore) < 0)
		;
}

/* Decoding takes a third as long as writing: one chunk is decoded while the one before it is
 * written. */
static void *decode_ahead(void *userdata) {
	struct batch *batch = userdata;
	struct batch_chunk *chunk;
	int i = 0;

	do {
		chunk = &batch->chunks[i++ % CHUNKS];
		wait_for(&batch->applied);
		fill_chunk(batch, chunk);
		sem_post(&batch->decoded);
	} while (chunk->count > 0);
	return NULL;
}

/* After an error the rest is taken from the decoder and not applied. */
static int apply_all(struct batch *batch) {
	int r = 0;

	for (int i = 0;; i++) {
		const struct batch_chunk *chunk = &batch->chunks[i % CHUNKS];

		wait_for(&batch->decoded);
		if (chunk->count == 0)
			return r;
		if (r == 0)
			r = apply_chunk(batch, chunk);
		sem_post(&batch->applied);
	}
}

static int write_with_decoder(struct batch *batch) {
	pthread_t decoder;
	int r;

	if (pthread_create(&decoder, NULL, decode_ahead, batch))
		return batch_write(batch, INT64_MAX);
	r = apply_all(batch);
	pthread_join(decoder, NULL);
	fold_clear(batch->fold);
	return r;
}

static int write_all(struct batch *batch) {
	int r;

	sem_init(&batch->applied, 0, CHUNKS);
	sem_init(&batch->decoded, 0, 0);
	r = write_with_decoder(batch);
	sem_destroy(&batch->applied);
	sem_destroy(&batch->decoded);
	return r;
}

static int write_transaction(struct batch *batch) {
	int r = replica_begin(batch->replica);

	if (r < 0)
		return r;
	r = write_all(batch);
	if (r == 0)
		r = replica_commit(batch->replica);
	if (r < 0)
		replica_rollback(batch->replica);
	return r;
}

static void *run_in_background(void *userdata) {
	struct batch *batch = userdata;

	batch->r = write_transaction(batch);
	atomic_store(&batch->has_ended, true);
	eventfd_write(batch->wake_fd, 1);
	return NULL;
}

bool batch_write_background(struct batch *batch) {
	atomic_store(&batch->has_ended, false);
	if (pthread_create(&batch->thread, NULL, run_in_background, batch))
		return false;
	pthread_setname_np(batch->thread, "restore");
	batch->in_background = true;
	return true;
}

bool batch_is_busy(const struct batch *batch) {
	return batch->in_background && !atomic_load(&batch->has_ended);
}

int batch_wait(struct batch *batch) {
	if (!batch->in_background)
		return 0;
	pthread_join(batch->thread, NULL);
	batch->in_background = false;
	if (batch->r < 0)
		fold_clear(batch->fold);
	return batch->r;
}
