#include "gateway/history_follower.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "gateway/follower.h"
#include "kafka/record_codec.h"
#include "rdkafka/topic_names.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
	COMMIT_MS = 100, /* between two commits: how old an answer may be */
	COMMIT_EVENTS = 5000,
	PRUNE_MS = 1000,
	PAUSE_MIN_MS = 500,
	PAUSE_MAX_MS = 30 * 1000,
	MEND_MS = 5000, /* for finding the topic again */
};

struct history_follower {
	const struct config *config; /* borrowed */
	char *source;                /* owned; the brokers and the topic */
	struct codec *codec;
	struct registry_metrics registry;
	struct follower *follower; /* NULL: to be started again */
	pthread_rwlock_t lock;     /* of `history`, which is replaced */
	struct history *history;
	struct backoff backoff; /* of mending */
	atomic_bool stopping, failed;
	atomic_ullong folded;
	atomic_llong bytes;

	/* Of the thread that folds: */
	struct arena *arena; /* holds one event */
	size_t uncommitted;
	int64_t committed_at_ms, pruned_at_ms; /* monotonic */
};

static bool check(struct history_follower *f, int r) {
	if (r < 0)
		atomic_store(&f->failed, true);
	return r >= 0;
}

/* Passes over a record that cannot be decoded. */
static void on_record(void *userdata, const struct record *record) {
	struct history_follower *f = userdata;
	struct analytic_event event;
	const char *why;

	arena_reset(f->arena);
	if (atomic_load(&f->failed) || !record->value ||
	    codec_decode_event(f->codec, f->arena, record->value, record->len, &event, &why))
		return;
	if (check(f, history_fold(f->history, &event, record->partition, record->offset,
				  clock_wall_ms())))
		f->uncommitted++;
}

static void prune(struct history_follower *f, int64_t now_ms) {
	int r = history_prune(f->history, clock_wall_ms());

	if (check(f, r) && r != HISTORY_E_MORE)
		f->pruned_at_ms = now_ms;
	atomic_store(&f->bytes, history_bytes(f->history));
}

static void on_tick(void *userdata, bool caught_up _unused_) {
	struct history_follower *f = userdata;
	int64_t now_ms = clock_monotonic_ms();

	if (atomic_load(&f->failed))
		return;
	if (f->uncommitted >= COMMIT_EVENTS || now_ms - f->committed_at_ms >= COMMIT_MS) {
		check(f, history_commit(f->history));
		atomic_fetch_add(&f->folded, f->uncommitted);
		f->uncommitted = 0;
		f->committed_at_ms = now_ms;
		if (now_ms - f->pruned_at_ms >= PRUNE_MS)
			prune(f, now_ms);
	}
}

static int64_t resume(void *userdata, int32_t partition, int64_t begin, int64_t end) {
	struct history_follower *f = userdata;

	return history_resume(f->history, partition, begin, end);
}

static enum admin_status open_history(struct history_follower *f) {
	const struct history_settings settings = {
		.data_dir = f->config->gateway_data_dir,
		.cluster_id = f->source,
		.retention_ms = f->config->history_retention_ms,
		.bytes_max = f->config->history_max_bytes,
	};

	if (f->history)
		return ADMIN_OK;
	return history_open(&settings, &f->history) ? ADMIN_USAGE : ADMIN_OK;
}

enum admin_status history_follower_open(const struct config *config,
					struct history_follower **out) {
	_cleanup_(history_follower_stopp) struct history_follower *f = x_calloc(1, sizeof(*f));
	_cleanup_(x_freep) char *topic = topic_name(config->topic_prefix, TOPIC_RESULTS);
	enum admin_status status;

	pthread_rwlock_init(&f->lock, NULL);
	f->config = config;
	f->source = x_asprintf("%s %s", config_kafka_get(config, "bootstrap.servers"), topic);
	f->arena = arena_new();
	f->codec = record_codec_new_waiting(config, &f->stopping, &f->registry);
	if (!f->codec)
		return ADMIN_USAGE;
	status = open_history(f);
	if (!status)
		*out = TAKE(f);
	return status;
}

enum admin_status history_follower_start(struct history_follower *f, int64_t timeout_ms) {
	const struct follower_options options = { .topic = TOPIC_RESULTS,
						  .start = READER_RESUMED,
						  .resume = resume,
						  .timeout_ms = timeout_ms,
						  .on_record = on_record,
						  .on_tick = on_tick,
						  .userdata = f };

	return f->follower ? ADMIN_OK : follower_start(f->config, &options, &f->follower);
}

static void stop(struct history_follower *f) {
	atomic_store(&f->stopping, true);
	follower_stopp(&f->follower);
	f->follower = NULL;
	if (f->history && !atomic_load(&f->failed) && history_commit(f->history))
		atomic_store(&f->failed, true);
	history_closep(&f->history);
	f->history = NULL;
	atomic_store(&f->stopping, false);
}

void history_follower_stop(struct history_follower *f) {
	stop(f);
	codec_freep(&f->codec);
	arena_free(f->arena);
	pthread_rwlock_destroy(&f->lock);
	free(f->source);
	free(f);
}

/* What was folded and not committed is folded again: the reader goes on from the committed offsets.
 */
static enum admin_status start_again(struct history_follower *f) {
	enum admin_status status;

	stop(f);
	f->uncommitted = 0;
	status = open_history(f);
	return status ? status : history_follower_start(f, MEND_MS);
}

void history_follower_mend(struct history_follower *f) {
	int64_t now_ms = clock_monotonic_ms();

	if (!backoff_is_over(&f->backoff, now_ms))
		return;
	if (!atomic_load(&f->failed)) {
		backoff_clear(&f->backoff);
		return;
	}
	pthread_rwlock_wrlock(&f->lock);
	atomic_store(&f->failed, start_again(f) != ADMIN_OK);
	pthread_rwlock_unlock(&f->lock);
	backoff_fail(&f->backoff, now_ms, PAUSE_MIN_MS, PAUSE_MAX_MS);
}

struct history *history_follower_borrow(struct history_follower *f) {
	pthread_rwlock_rdlock(&f->lock);
	return f->follower && follower_caught_up(f->follower) ? f->history : NULL;
}

void history_follower_return(struct history_follower *f) {
	pthread_rwlock_unlock(&f->lock);
}

bool history_follower_is_failing(const struct history_follower *f) {
	return atomic_load(&f->failed);
}

struct history_figures history_follower_figures(const struct history_follower *f) {
	return (struct history_figures){ atomic_load(&f->folded), atomic_load(&f->bytes) };
}
