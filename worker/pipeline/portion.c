#include "pipeline/portion.h"

#include "base/clock.h"
#include "base/log.h"

#include <sys/eventfd.h>

enum { BATCHES = 2, BATCH_RECORDS = 256 };

struct decoded {
	int32_t partition;
	struct change change;
	struct state_record record; /* the change's, unless it is a tombstone */
	const void *value;          /* the fold's */
	size_t value_len;
};

struct batch {
	struct arena *arena;
	struct decoded items[BATCH_RECORDS];
	size_t count;
};

void portion_init(struct portion *portion, struct codec *codec, struct pipeline_metrics *metrics,
		  int wake_fd) {
	*portion = (struct portion){
		.codec = codec, .metrics = metrics, .wake_fd = wake_fd, .fold = fold_new()
	};
	portion->batches = x_calloc(BATCHES, sizeof(*portion->batches));
	for (int i = 0; i < BATCHES; i++)
		portion->batches[i].arena = arena_new();
}

void portion_destroy(struct portion *portion) {
	fold_free(portion->fold);
	for (int i = 0; i < BATCHES; i++)
		arena_free(portion->batches[i].arena);
	free(portion->batches);
	free(portion->sources);
}

void portion_forget_sources(struct portion *portion) {
	portion->source_count = 0;
}

void portion_add_source(struct portion *portion, uint32_t source, int32_t partition) {
	if (portion->source_count == portion->source_capacity) {
		portion->source_capacity =
		    portion->source_capacity ? portion->source_capacity * 2 : 16;
		portion->sources = x_realloc(portion->sources,
					     portion->source_capacity * sizeof(*portion->sources));
	}
	portion->sources[portion->source_count++] =
	    (struct portion_source){ .source = source, .partition = partition };
}

void portion_take(struct portion *portion, struct fold **read) {
	struct fold *empty = portion->fold;

	portion->fold = *read;
	*read = empty;
}

bool portion_is_empty(const struct portion *portion) {
	return fold_count(portion->fold) == 0;
}

static struct portion_source *find(const struct portion *portion, uint32_t source) {
	for (size_t i = 0; i < portion->source_count; i++)
		if (portion->sources[i].source == source)
			return &portion->sources[i];
	return NULL;
}

/* Returns whether there is something to apply: not of what is torn, or was given up on. */
static bool decode(struct portion *portion, struct batch *batch, const struct fold_entry *entry,
		   struct decoded *out) {
	struct portion_source *source = find(portion, entry->source);
	const char *why = "the key";

	if (!source || source->torn)
		return false;
	*out = (struct decoded){ .partition = source->partition,
				 .value = entry->value,
				 .value_len = entry->value_len };
	if (state_key_parse(batch->arena, entry->key, entry->key_len, &out->change.key) ||
	    (entry->value && codec_decode_state(portion->codec, batch->arena, entry->value,
						entry->value_len, &out->record, &why))) {
		log_error("changelog record cannot be decoded", "partition=%d key=%s error=%s",
			  source->partition, log_quote(entry->key), log_quote(why));
		source->torn = "a changelog record cannot be decoded";
		return false;
	}
	out->change.record = entry->value ? &out->record : NULL;
	return true;
}

/* The next entries. Never asks the fold for one that it has not: it would give up the memory of
 * those that are still to be applied. */
static void fill(struct portion *portion, struct batch *batch) {
	struct fold_entry entry;

	arena_reset(batch->arena);
	batch->count = 0;
	while (batch->count < BATCH_RECORDS && fold_count(portion->fold) > 0 &&
	       fold_take(portion->fold, &entry))
		batch->count += decode(portion, batch, &entry, &batch->items[batch->count]);
}

static int apply(struct portion *portion, const struct batch *batch) {
	int error = 0;

	for (size_t i = 0; i < batch->count && error == 0; i++) {
		const struct decoded *item = &batch->items[i];

		error = replica_apply(portion->replica, item->partition, &item->change, item->value,
				      item->value_len);
	}
	metric_add(&portion->metrics->restored_records, (int64_t)batch->count);
	return error;
}

int portion_write(struct portion *portion, int64_t deadline_ms) {
	struct batch *batch = portion->batches;

	while (!portion_is_empty(portion)) {
		int error;

		fill(portion, batch);
		error = apply(portion, batch);
		if (error < 0)
			return error;
		if (clock_monotonic_ms() >= deadline_ms && !portion_is_empty(portion))
			return 1;
	}
	fold_clear(portion->fold);
	return 0;
}

/* Decoding takes a third as long as writing: one batch is decoded while the one before it is
 * written. An empty batch is the last. */
static void *decode_ahead(void *userdata) {
	struct portion *portion = userdata;
	struct batch *batch;
	int i = 0;

	do {
		batch = &portion->batches[i++ % BATCHES];
		sem_wait(&portion->applied);
		fill(portion, batch);
		sem_post(&portion->decoded);
	} while (batch->count > 0);
	return NULL;
}

/* After an error the rest is only taken. */
static int apply_all(struct portion *portion) {
	int error = 0;

	for (int i = 0;; i++) {
		const struct batch *batch = &portion->batches[i % BATCHES];

		sem_wait(&portion->decoded);
		if (batch->count == 0)
			return error;
		if (error == 0)
			error = apply(portion, batch);
		sem_post(&portion->applied);
	}
}

static int write_with_two(struct portion *portion) {
	pthread_t decoder;
	int error;

	sem_init(&portion->applied, 0, BATCHES);
	sem_init(&portion->decoded, 0, 0);
	if (pthread_create(&decoder, NULL, decode_ahead, portion))
		return portion_write(portion, INT64_MAX);
	error = apply_all(portion);
	pthread_join(decoder, NULL);
	fold_clear(portion->fold);
	return error;
}

static int write_whole(struct portion *portion) {
	int error = replica_begin(portion->replica);

	if (error < 0)
		return error;
	error = write_with_two(portion);
	if (error == 0)
		error = replica_commit(portion->replica);
	if (error < 0)
		replica_rollback(portion->replica);
	return error;
}

static void *run(void *userdata) {
	struct portion *portion = userdata;

	portion->error = write_whole(portion);
	atomic_store(&portion->has_ended, true);
	eventfd_write(portion->wake_fd, 1);
	return NULL;
}

bool portion_write_aside(struct portion *portion) {
	atomic_store(&portion->has_ended, false);
	if (pthread_create(&portion->thread, NULL, run, portion))
		return false;
	pthread_setname_np(portion->thread, "restore");
	portion->is_aside = true;
	return true;
}

bool portion_is_busy(const struct portion *portion) {
	return portion->is_aside && !atomic_load(&portion->has_ended);
}

int portion_settle(struct portion *portion) {
	if (!portion->is_aside)
		return 0;
	pthread_join(portion->thread, NULL);
	portion->is_aside = false;
	if (portion->error < 0)
		fold_clear(portion->fold);
	return portion->error;
}
