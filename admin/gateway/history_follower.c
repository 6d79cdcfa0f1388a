#include "gateway/history_follower.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "gateway/follower.h"
#include "kafka/record_codec.h"
#include "rdkafka/topic_names.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
	COMMIT_MS = 200,       /* between two commits: how old an answer may be */
	COMMIT_EVENTS = 20000, /* the more, the fewer pages are written for each */
	PRUNE_MS = 1000,
	PRUNE_STEPS = 8, /* together they delete more than one commit adds */
	PAUSE_MIN_MS = 500,
	PAUSE_MAX_MS = 30 * 1000,
	MEND_MS = 5000, /* for finding the topic again */
};

struct history_follower {
	const struct config *config; /* borrowed */
	char *topic;                 /* owned; its name */
	struct codec *codec;
	struct registry_metrics registry;
	struct follower *follower; /* NULL: to be started again */
	pthread_rwlock_t lock;     /* of `history`, which is replaced */
	struct history *history;
	struct backoff backoff; /* of mending */
	atomic_bool stopping, failed;
	atomic_bool is_ready; /* all that the topic had at the start is committed */
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

/* Passes over a record that cannot be decoded. While it stops none is folded: the schemas are asked
 * for no more, and what cannot be decoded would be passed over. */
static void on_record(void *userdata, const struct record *record) {
	struct history_follower *f = userdata;
	struct analytic_event event;
	const char *why;

	arena_reset(f->arena);
	if (atomic_load(&f->failed) || atomic_load(&f->stopping) || !record->value ||
	    codec_decode_event(f->codec, f->arena, record->value, record->len, &event, &why))
		return;
	if (check(f, history_fold(f->history, &event, record->partition, record->offset,
				  clock_wall_ms())))
		f->uncommitted++;
}

static void prune(struct history_follower *f, int64_t now_ms) {
	int r = HISTORY_E_MORE;

	for (int i = 0; r == HISTORY_E_MORE && i < PRUNE_STEPS; i++)
		r = history_prune(f->history, clock_wall_ms());
	if (check(f, r) && r != HISTORY_E_MORE)
		f->pruned_at_ms = now_ms;
	atomic_store(&f->bytes, history_bytes(f->history));
}

static void commit(struct history_follower *f, int64_t now_ms) {
	if (!check(f, history_commit(f->history)))
		return;
	atomic_fetch_add(&f->folded, f->uncommitted);
	f->uncommitted = 0;
	f->committed_at_ms = now_ms;
	if (now_ms - f->pruned_at_ms >= PRUNE_MS)
		prune(f, now_ms);
}

static void become_ready(struct history_follower *f, int64_t now_ms) {
	if (!check(f, history_settle(f->history)))
		return;
	commit(f, now_ms);
	atomic_store(&f->is_ready, !atomic_load(&f->failed));
}

static void on_tick(void *userdata, bool caught_up) {
	struct history_follower *f = userdata;
	int64_t now_ms = clock_monotonic_ms();

	if (atomic_load(&f->failed))
		return;
	if (caught_up && !atomic_load(&f->is_ready))
		become_ready(f, now_ms);
	else if (f->uncommitted >= COMMIT_EVENTS || now_ms - f->committed_at_ms >= COMMIT_MS)
		commit(f, now_ms);
}

static int64_t resume(void *userdata, const struct reader_extent *extent) {
	struct history_follower *f = userdata;
	_cleanup_(x_freep) char *source = x_asprintf("%s %s", extent->cluster_id, f->topic);
	int64_t from = history_claim(f->history, source);

	if (!from)
		from = history_resume(f->history, extent->partition, extent->begin, extent->end,
				      clock_wall_ms());
	check(f, (int)MIN(from, (int64_t)0));
	return from;
}

static enum admin_status open_history(struct history_follower *f) {
	const struct history_settings settings = {
		.data_dir = f->config->gateway_data_dir,
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
	enum admin_status status;

	pthread_rwlock_init(&f->lock, NULL);
	f->config = config;
	f->topic = topic_name(config->topic_prefix, TOPIC_RESULTS);
	f->arena = arena_new();
	f->codec = record_codec_new_waiting(config, &f->stopping, &f->registry);
	if (!f->codec)
		return ADMIN_USAGE;
	status = open_history(f);
	if (!status)
		*out = TAKE(f);
	return status;
}

static enum admin_status start(struct history_follower *f, int64_t timeout_ms) {
	const struct follower_options options = { .topic = TOPIC_RESULTS,
						  .start = READER_RESUMED,
						  .resume = resume,
						  .timeout_ms = timeout_ms,
						  .on_record = on_record,
						  .on_tick = on_tick,
						  .userdata = f };

	return follower_start(f->config, &options, &f->follower);
}

static void stop(struct history_follower *f) {
	atomic_store(&f->stopping, true);
	follower_stopp(&f->follower);
	f->follower = NULL;
	if (f->history && !atomic_load(&f->failed) && history_commit(f->history))
		atomic_store(&f->failed, true);
	history_closep(&f->history);
	f->history = NULL;
	atomic_store(&f->is_ready, false);
	atomic_store(&f->stopping, false);
}

void history_follower_stop(struct history_follower *f) {
	stop(f);
	codec_freep(&f->codec);
	arena_free(f->arena);
	pthread_rwlock_destroy(&f->lock);
	free(f->topic);
	free(f);
}

/* What was folded and not committed is folded again: the reader goes on from the committed offsets.
 */
static enum admin_status start_again(struct history_follower *f, int64_t timeout_ms) {
	enum admin_status status;

	stop(f);
	f->uncommitted = 0;
	atomic_store(&f->failed, false); /* before the thread folds */
	status = open_history(f);
	if (!status)
		status = start(f, timeout_ms);
	if (status)
		atomic_store(&f->failed, true);
	return status;
}

enum admin_status history_follower_start(struct history_follower *f, int64_t timeout_ms) {
	if (f->follower)
		return ADMIN_OK;
	return atomic_load(&f->failed) ? start_again(f, timeout_ms) : start(f, timeout_ms);
}

/* Also where a query met damage, and where the topic was cut beyond what is read next. */
static bool is_to_be_mended(const struct history_follower *f) {
	return atomic_load(&f->failed) || (f->history && history_is_damaged(f->history)) ||
	       (f->follower && follower_has_lost_its_place(f->follower));
}

void history_follower_mend(struct history_follower *f) {
	int64_t now_ms = clock_monotonic_ms();

	if (!backoff_is_over(&f->backoff, now_ms))
		return;
	if (!is_to_be_mended(f)) {
		backoff_clear(&f->backoff);
		return;
	}
	atomic_store(&f->failed, true); /* no query begins that this would wait for */
	pthread_rwlock_wrlock(&f->lock);
	if (start_again(f, MEND_MS))
		log_warn("the history is not folded; it is tried again", "topic=%s", f->topic);
	pthread_rwlock_unlock(&f->lock);
	backoff_fail(&f->backoff, now_ms, PAUSE_MIN_MS, PAUSE_MAX_MS);
}

struct history *history_follower_borrow(struct history_follower *f) {
	if (atomic_load(&f->failed) || pthread_rwlock_tryrdlock(&f->lock))
		return NULL;
	if (atomic_load(&f->is_ready))
		return f->history;
	pthread_rwlock_unlock(&f->lock);
	return NULL;
}

void history_follower_return(struct history_follower *f) {
	pthread_rwlock_unlock(&f->lock);
}

bool history_follower_is_failing(struct history_follower *f) {
	bool failing;

	if (atomic_load(&f->failed) || pthread_rwlock_tryrdlock(&f->lock))
		return true;
	failing = !f->follower || follower_is_failing(f->follower);
	pthread_rwlock_unlock(&f->lock);
	return failing;
}

struct history_figures history_follower_figures(const struct history_follower *f) {
	return (struct history_figures){ atomic_load(&f->folded), atomic_load(&f->bytes) };
}
