#include "pipeline/stores.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/invariant.h"
#include "rdkafka/transaction_probe.h"

#include <errno.h>
#include <sys/statvfs.h>

enum {
	PAUSE_MIN_MS = 100,
	TRANSACTION_PAUSE_MAX_MS = 1000,
	REPLICA_PAUSE_MAX_MS = 60 * 1000,
	EXPLAINED_FROM = 3, /* failures in a row */
	HEALED_AFTER_MS = 60 * 1000,
};

struct stores {
	struct stores_settings settings;
	struct replica *replica;
	struct transaction *transaction;
	bool has_transaction; /* it is initialised */
	struct backoff replica_backoff, transaction_backoff, letters_backoff;
	bool has_asked_for_letters; /* whether they may be written */
};

struct stores *stores_new(const struct stores_settings *settings) {
	struct stores *s = x_calloc(1, sizeof(*s));

	s->settings = *settings;
	return s;
}

void stores_free(struct stores *s) {
	if (!s)
		return;
	transaction_close(s->transaction);
	replica_close(s->replica);
	free(s);
}

struct replica *stores_replica(const struct stores *s) {
	return s->replica;
}

struct transaction *stores_transaction(const struct stores *s) {
	return s->transaction;
}

bool stores_are_ready(const struct stores *s) {
	return s->replica && s->has_transaction;
}

int stores_failures(const struct stores *s) {
	return MAX(s->replica_backoff.failures, s->transaction_backoff.failures);
}

/* The replica. */

/* For the operator: a restore makes neither room nor rights. */
static void explain_failures(const struct stores *s) {
	const char *folder = s->settings.config->worker_data_dir;
	struct statvfs fs = { 0 };

	(void)statvfs(folder, &fs);
	log_error(
	    "the replica fails again and again: worker.data.dir needs room, rights, or another "
	    "disk; it is tried again by itself",
	    "folder=%s failures=%d free_bytes=%llu free_files=%llu pause_ms=%lld",
	    log_quote(folder), s->replica_backoff.failures,
	    (unsigned long long)fs.f_bavail * fs.f_frsize, (unsigned long long)fs.f_favail,
	    (long long)(s->replica_backoff.until_ms - clock_monotonic_ms()));
}

static void count_replica_failure(struct stores *s) {
	backoff_fail(&s->replica_backoff, clock_monotonic_ms(), PAUSE_MIN_MS, REPLICA_PAUSE_MAX_MS);
	if (s->replica_backoff.failures >= EXPLAINED_FROM)
		explain_failures(s);
}

static int open_replica(struct stores *s) {
	int r = replica_open(s->settings.config->worker_data_dir, s->settings.cluster_id,
			     s->settings.codec, &s->replica);

	if (r < 0) {
		s->replica = NULL;
		return r;
	}
	restorer_set_replica(s->settings.restorer, s->replica);
	dispatcher_set_replica(s->settings.dispatcher, s->replica);
	return 0;
}

int stores_open(struct stores *s) {
	int r = open_replica(s);

	if (r != -EIO && r != -ENOSPC)
		return r;
	count_replica_failure(s); /* there may be room soon */
	return 0;
}

void stores_drop_replica(struct stores *s, int error) {
	if (!s->replica)
		return;
	invariant(!restorer_owns_replica(s->settings.restorer),
		  "no restore writes to a replica that is removed");
	log_error("replica failed: it is made again from the changelog", "error=%s",
		  log_quote(strerror(-error)));
	/* Before it is removed: the room that it took is none that is left. */
	count_replica_failure(s);
	replica_discard(TAKE(s->replica));
}

static void prepare_replica(struct stores *s) {
	if (s->replica || !backoff_is_over(&s->replica_backoff, clock_monotonic_ms()))
		return;
	if (open_replica(s) < 0)
		count_replica_failure(s);
}

void stores_forget_failures(struct stores *s, int64_t now_ms) {
	if (s->replica_backoff.failures && now_ms > s->replica_backoff.until_ms + HEALED_AFTER_MS)
		backoff_clear(&s->replica_backoff);
}

/* The producer. */

void stores_drop_transaction(struct stores *s) {
	transaction_close(TAKE(s->transaction));
	s->has_transaction = false;
}

/* Returns as transaction_init does. */
static int init_transaction(struct stores *s) {
	if (!s->transaction) {
		if (!metric_refusals(s->settings.metrics))
			log_info("making a producer", "worker=%s", s->settings.config->worker_id);
		s->transaction = transaction_new(s->settings.config, s->settings.topics);
	}
	return s->transaction ? transaction_init(s->transaction) : -EPERM;
}

/* A producer that was refused is of no use after a grant either. */
static void fail_transaction(struct stores *s, int r) {
	int64_t now_ms = clock_monotonic_ms();

	if (r != -EACCES) {
		backoff_fail(&s->transaction_backoff, now_ms, PAUSE_MIN_MS,
			     TRANSACTION_PAUSE_MAX_MS);
		return;
	}
	stores_drop_transaction(s);
	backoff_refuse(&s->transaction_backoff, now_ms);
}

/*
 * Once for a process, and again while they may not be written. A partition that waits with a record
 * for its dead letter is let on by that.
 */
static void ask_for_letters(struct stores *s) {
	struct pipeline_metrics *metrics = s->settings.metrics;
	bool is_refused = atomic_load(&metrics->refused) & METRIC_REFUSED_DEAD_LETTERS;

	if ((s->has_asked_for_letters && !is_refused) ||
	    !backoff_is_over(&s->letters_backoff, clock_monotonic_ms()))
		return;
	s->has_asked_for_letters = true;
	is_refused = !transaction_may_write_letters(s->transaction);
	metric_refuse(metrics, METRIC_REFUSED_DEAD_LETTERS, is_refused);
	if (is_refused)
		backoff_refuse(&s->letters_backoff, clock_monotonic_ms());
	else
		backoff_clear(&s->letters_backoff);
	/* Where nothing was written there is nothing to abort, which loses the producer. */
	if (transaction_needs_replacement(s->transaction))
		stores_drop_transaction(s);
}

static struct step prepare_transaction(struct stores *s) {
	int r;

	if (s->transaction && transaction_needs_replacement(s->transaction))
		stores_drop_transaction(s);
	if (s->has_transaction || !backoff_is_over(&s->transaction_backoff, clock_monotonic_ms()))
		return step_done(false);
	r = init_transaction(s);
	metric_refuse(s->settings.metrics, METRIC_REFUSED_TRANSACTIONS, r != 0);
	s->has_transaction = r == 0;
	if (r == 0)
		backoff_clear(&s->transaction_backoff);
	else
		fail_transaction(s, r);
	return r == -EPERM ? step_end(STEP_FATAL) : step_done(false);
}

struct step stores_prepare(struct stores *s) {
	struct step step;

	prepare_replica(s);
	if (!s->replica)
		return step_done(false);
	step = prepare_transaction(s);
	if (step.end == STEP_DONE && s->has_transaction)
		ask_for_letters(s);
	return step;
}
