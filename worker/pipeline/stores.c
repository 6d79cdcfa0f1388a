#include "pipeline/stores.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/invariant.h"

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
	struct backoff replica_backoff, transaction_backoff;
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

/* Returns 0, -EAGAIN, or -EPERM where the brokers refuse for good. */
static int init_transaction(struct stores *s) {
	if (!s->transaction) {
		log_info("making a producer", "worker=%s", s->settings.config->worker_id);
		s->transaction = transaction_new(s->settings.config, s->settings.topics);
	}
	return s->transaction ? transaction_init(s->transaction) : -EPERM;
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
		backoff_fail(&s->transaction_backoff, clock_monotonic_ms(), PAUSE_MIN_MS,
			     TRANSACTION_PAUSE_MAX_MS);
	return r == -EPERM ? step_end(STEP_FATAL) : step_done(false);
}

struct step stores_prepare(struct stores *s) {
	prepare_replica(s);
	if (!s->replica)
		return step_done(false);
	return prepare_transaction(s);
}
