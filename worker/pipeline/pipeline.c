#include "pipeline/pipeline.h"

#include "base/clock.h"
#include "base/fault.h"
#include "pipeline/context.h"
#include "pipeline/turn.h"
#include "rdkafka/refusal.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
	BROKER_TIMEOUT_MS = 5000,
	WAIT_MAX_MS = 100, /* a wake-up that was missed costs this much and no more */
	TOPICS_PAUSE_MIN_MS = 500,
	TOPICS_PAUSE_MAX_MS = 5000,
	RESTORE_SLICE_MS = 20,  /* while others are served */
	RESTORE_ALONE_MS = 200, /* while nothing else is: fewer, larger transactions of SQLite */
	DRAIN_MARGIN_MS = 1000,
	RECORD_MAX = 16 * 1024 *
	    1024, /* of one encoded record: bounded by the domain's limits well below */
	LAG_INTERVAL_MS = 1000,
	TRIM_INTERVAL_MS = 60 * 1000,
	FAILING_AFTER = 5,   /* turns undone in a row */
	REPAIRS_FAILING = 3, /* of one kind, in a row */
	REPAIR_PAUSE_MIN_MS = 100,
	BROKER_PAUSE_MAX_MS = 1000,
	REPLICA_PAUSE_MAX_MS = 60 * 1000,
	HEALED_AFTER_MS = 60 * 1000,
};

const double metric_transaction_seconds[METRIC_TRANSACTION_BUCKETS] = { 0.005, 0.01, 0.02, 0.04,
									0.08,  0.16, 0.5,  1,
									2,     10 };

/* Making and unmaking. */

struct pipeline *pipeline_new(const struct config *config, const struct master_keys *master_keys,
			      struct engine *engine) {
	struct pipeline *p = x_calloc(1, sizeof(*p));

	*p = (struct pipeline){
		.config = config,
		.master_keys = master_keys,
		.engine = engine,
		.arena = arena_new(),
		.tenant_pending = tenant_pending_new(),
		.record = BUFFER_INIT(RECORD_MAX),
		.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.handler_settings = {
			.url_policy = { config->endpoint_allow_http, &config->endpoint_allow_networks },
			.receipt_retention_ms = config->receipt_retention_ms,
			.issuance_receipt_retention_ms = config->issuance_receipt_retention_ms,
			.signing_key_overlap_ms = config->signing_key_overlap_ms,
			.tenant_max = { [TENANT_LIMIT_WEBHOOKS] = config->tenant_max_webhooks,
					[TENANT_LIMIT_SIGNING_KEYS] = config->tenant_max_signing_keys,
					[TENANT_LIMIT_PENDING_DELIVERIES] = config->tenant_max_pending_deliveries },
		},
		.outcome_settings.retry = { config->delivery_retry_schedule_ms, config->delivery_retry_count, config->delivery_retry_jitter },
		.outcome_settings.endpoint_disable_after_ms = config->endpoint_disable_after_ms,
		.scratch = arena_new(),
		.budget = turn_budget_new((size_t)config->batch_max_records, config->batch_max_wait_ms),
		.letter_limit = letter_limit_new(),
	};
	p->outcomes_end = &p->outcomes;
	atomic_store(&p->metrics.loop_at_ms, clock_monotonic_ms());
	topics_init(&p->topics, config->topic_prefix);
	return p;
}

static void free_outcomes(struct pipeline *p) {
	while (p->outcomes) {
		struct job *job = p->outcomes;

		p->outcomes = job->next;
		job_free(job);
	}
}

void pipeline_free(struct pipeline *p) {
	if (!p)
		return;
	transaction_close(p->transaction);
	dispatcher_free(p->dispatcher);
	tenant_pending_free(p->tenant_pending);
	restorer_free(p->restorer);
	if (p->group)
		rd_kafka_consumer_group_metadata_destroy(p->group);
	inputs_free(p->inputs);
	if (p->consumer_queue)
		rd_kafka_queue_destroy(p->consumer_queue);
	client_free(p->consumer);
	replica_close(p->replica);
	codec_free(p->codec);
	free_outcomes(p);
	if (p->cluster_id)
		rd_kafka_mem_free(NULL, p->cluster_id);
	topics_destroy(&p->topics);
	buffer_destroy(&p->record);
	arena_free(p->arena);
	arena_free(p->scratch);
	close(p->wake_fd);
	free(p->metrics.partitions);
	free(p->partitions);
	free(p);
}

void pipeline_wake(struct pipeline *p) {
	uint64_t one = 1;

	if (write(p->wake_fd, &one, sizeof(one)) < 0)
		return; /* full: it is awake */
}

void pipeline_stop(struct pipeline *p) {
	p->stopping = true;
	pipeline_wake(p);
}

const struct pipeline_metrics *pipeline_metrics(const struct pipeline *p) {
	return &p->metrics;
}

/* Opening. */

/* Sleeps until the pipeline is woken, at most `timeout_ms`. */
static void wait_for_wake(struct pipeline *p, int64_t timeout_ms) {
	struct pollfd pollfd = { .fd = p->wake_fd, .events = POLLIN };
	uint64_t count;

	if (poll(&pollfd, 1, (int)MAX(timeout_ms, (int64_t)0)) > 0 &&
	    read(p->wake_fd, &count, sizeof(count)) < 0)
		return; /* somebody else's wake-up was read already */
}

static void count_repairs(struct pipeline *p);

/* Whether the brokers refuse the login now. */
static bool heed_refused_login(struct pipeline *p, int64_t now_ms) {
	bool refused = client_take_refused_login();

	if (refused)
		p->login_refused_at_ms = now_ms;
	if (refused || now_ms - p->login_refused_at_ms > REFUSAL_LOGIN_MENDED_AFTER_MS)
		metric_refuse(&p->metrics, METRIC_REFUSED_LOGIN, refused);
	return atomic_load(&p->metrics.refused) & METRIC_REFUSED_LOGIN;
}

static void explain_no_answer(const struct pipeline *p) {
	const char *servers = config_kafka_get(p->config, "bootstrap.servers");

	refusal_log_cause("Connect", "brokers", servers ? servers : "",
			  "no broker answers: they are down, kafka.bootstrap.servers or "
			  "kafka.security.protocol is not theirs, or the network is closed; "
			  "it is tried again by itself");
}

/*
 * A pause that grows. What the consumer tells meanwhile is heeded as later: librdkafka asks for the
 * group's coordinator at once, and tells only once that it is refused.
 */
static void put_off_topics(struct pipeline *p) {
	backoff_fail(&p->topics_backoff, clock_monotonic_ms(), TOPICS_PAUSE_MIN_MS,
		     TOPICS_PAUSE_MAX_MS);
	count_repairs(p);
	while (!p->stopping && !backoff_is_over(&p->topics_backoff, clock_monotonic_ms())) {
		wait_for_wake(p, MIN(p->topics_backoff.until_ms - clock_monotonic_ms(),
				     (int64_t)WAIT_MAX_MS));
		turn_poll_events(p);
	}
}

static int wait_for_topics(struct pipeline *p) {
	for (;;) {
		int r =
		    topics_check(&p->topics, p->consumer, BROKER_TIMEOUT_MS, &p->partition_count);
		bool login_refused;

		atomic_store(&p->metrics.loop_at_ms, clock_monotonic_ms());
		turn_poll_events(p);
		login_refused = heed_refused_login(p, clock_monotonic_ms());
		if (r == 0) {
			metric_refuse(&p->metrics, METRIC_REFUSED_LOGIN, false);
			backoff_clear(&p->topics_backoff);
			count_repairs(p);
			return 0;
		}
		if (r == TOPICS_E_REFUSED)
			return PIPELINE_E_FATAL;
		if (r == -ETIMEDOUT && !login_refused)
			explain_no_answer(p);
		if (p->stopping)
			return -ECANCELED;
		put_off_topics(p);
	}
}

static int make_consumer(struct pipeline *p) {
	p->consumer_callbacks = (struct client_callbacks){ .opaque = p,
							   .rebalance = assignment_rebalance,
							   .answered = assignment_answered };
	p->consumer = client_new(p->config, CLIENT_GROUP, &p->consumer_callbacks);
	if (!p->consumer)
		return PIPELINE_E_FATAL;
	lease_init(&p->lease, (int64_t)client_session_timeout_ms(p->consumer) * 1000);
	p->consumer_queue = rd_kafka_queue_get_consumer(p->consumer);
	client_wake_by(p->consumer_queue, p->wake_fd);
	return 0;
}

static int open_consumer(struct pipeline *p) {
	int r = make_consumer(p);

	if (r == 0)
		r = wait_for_topics(p);
	if (r != 0)
		return r;
	p->cluster_id = rd_kafka_clusterid(p->consumer, BROKER_TIMEOUT_MS);
	if (!p->cluster_id) {
		log_error("cluster id is not known", "timeout_ms=%d", BROKER_TIMEOUT_MS);
		return PIPELINE_E_FATAL;
	}
	return 0;
}

static void make_partitions(struct pipeline *p) {
	size_t count = (size_t)p->partition_count;

	p->partitions = x_calloc(count, sizeof(*p->partitions));
	p->metrics.partitions = x_calloc(count, sizeof(*p->metrics.partitions));
	for (int32_t i = 0; i < p->partition_count; i++) {
		p->partitions[i].id = i;
		p->partitions[i].poison[INPUT_ADMIN] = p->partitions[i].poison[INPUT_ISSUANCE] = -1;
		partition_turn_reset(&p->partitions[i]);
		for (int input = 0; input < METRIC_INPUT_COUNT; input++)
			atomic_store(&p->metrics.partitions[i].lag[input], -1);
	}
	atomic_store(&p->metrics.partition_count, p->partition_count);
}

static int open_codec(struct pipeline *p) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(64 * 1024);
	int r = codec_new(p->config->schema_dir, &p->codec, &problems);

	if (r == 0)
		return 0;
	log_error("schemas cannot be read", "error=%s",
		  log_quote(problems.len ? problems.data : strerror(-r)));
	return PIPELINE_E_FATAL;
}

static void make_parts(struct pipeline *p) {
	struct restorer_settings restorer_settings = {
		.config = p->config,
		.topics = &p->topics,
		.codec = p->codec,
		.metrics = &p->metrics,
		.wake_fd = p->wake_fd,
	};
	struct dispatcher_settings dispatcher_settings = {
		.config = p->config,
		.master_keys = p->master_keys,
		.engine = p->engine,
		.metrics = &p->metrics.dispatch,
		.tenant_pending = p->tenant_pending,
		.monotonic_ms = clock_monotonic_ms,
	};

	p->inputs = inputs_new(p->partition_count);
	p->intake = (struct intake){ p->codec, &p->topics, p->partition_count,
				     p->config->command_max_bytes };
	p->restorer = restorer_new(&restorer_settings, assignment_restored, p);
	p->dispatcher = dispatcher_new(&dispatcher_settings, clock_wall_ms());
}

static void fail_replica(struct pipeline *p);

static void use_replica(struct pipeline *p) {
	restorer_set_replica(p->restorer, p->replica);
	dispatcher_set_replica(p->dispatcher, p->replica);
}

static int subscribe(struct pipeline *p) {
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(POSITION_INPUTS);
	rd_kafka_resp_err_t err;

	rd_kafka_topic_partition_list_add(list, p->topics.admin, RD_KAFKA_PARTITION_UA);
	rd_kafka_topic_partition_list_add(list, p->topics.issuance, RD_KAFKA_PARTITION_UA);
	err = rd_kafka_subscribe(p->consumer, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (!err)
		return 0;
	log_error("cannot subscribe", "error=%s", log_quote(rd_kafka_err2str(err)));
	return PIPELINE_E_FATAL;
}

int pipeline_open(struct pipeline *p) {
	int r = open_codec(p);

	if (r == 0)
		r = open_consumer(p);
	if (r != 0)
		return r;
	make_partitions(p);
	make_parts(p);
	r = replica_open(p->config->worker_data_dir, p->cluster_id, p->codec, &p->replica);
	if (r == 0)
		use_replica(p);
	else if (r == -EIO || r == -ENOSPC)
		fail_replica(p); /* there may be room soon */
	else
		return r;
	return subscribe(p);
}

/* Running. */

/* One that is lost is replaced: under the same worker.id it is the same member, with a new
 * assignment. Returns whether there is one. */
static bool have_consumer(struct pipeline *p) {
	if (!p->consumer_lost)
		return true;
	assignment_lose(p); /* nothing is committed any more in the name of a member that is none */
	inputs_close(p->inputs);
	rd_kafka_queue_destroy(TAKE(p->consumer_queue));
	client_free(TAKE(p->consumer));
	p->consumer_lost = false;
	p->fatal = make_consumer(p);
	if (p->fatal == 0)
		p->fatal = subscribe(p);
	return p->fatal == 0;
}

/* One that is gone or worn is replaced: the new producer fences it and settles what it left open.
 * Returns whether there is one. */
static bool have_transaction(struct pipeline *p) {
	int r;

	if (p->transaction && transaction_is_worn(p->transaction))
		transaction_close(TAKE(p->transaction));
	if (!backoff_is_over(&p->transaction_backoff, clock_monotonic_ms())) {
		wait_for_wake(p, WAIT_MAX_MS);
		return false;
	}
	if (!p->transaction) {
		log_info("making a producer", "worker=%s", p->config->worker_id);
		p->transaction = transaction_new(p->config, &p->topics);
	}
	r = p->transaction ? transaction_init(p->transaction) : -EPERM;
	metric_refuse(&p->metrics, METRIC_REFUSED_TRANSACTIONS, r != 0);
	if (r == -EPERM)
		p->fatal = PIPELINE_E_FATAL;
	if (r == 0)
		backoff_clear(&p->transaction_backoff);
	else
		backoff_fail(&p->transaction_backoff, clock_monotonic_ms(), REPAIR_PAUSE_MIN_MS,
			     BROKER_PAUSE_MAX_MS);
	return r == 0;
}

/* For who has to mend it: a restore does not make room, nor rights. */
static void tell_of_folder(const struct pipeline *p) {
	const char *folder = p->config->worker_data_dir;
	struct statvfs fs = { 0 };

	(void)statvfs(folder, &fs);
	log_error("the replica fails again and again: worker.data.dir needs room, rights, or "
		  "another disk; it is tried again by itself",
		  "folder=%s failures=%d free_bytes=%llu free_files=%llu pause_ms=%lld",
		  log_quote(folder), p->replica_backoff.failures,
		  (unsigned long long)fs.f_bavail * fs.f_frsize, (unsigned long long)fs.f_favail,
		  (long long)(p->replica_backoff.until_ms - clock_monotonic_ms()));
}

static void count_repairs(struct pipeline *p) {
	int of_offsets = MAX(p->transaction_backoff.failures, p->offsets_backoff.failures);
	int of_topics =
	    MAX(p->topics_backoff.failures, p->restorer ? restorer_failures(p->restorer) : 0);
	int of_brokers = MAX(of_offsets, of_topics);

	atomic_store(&p->metrics.repairs_in_a_row, MAX(p->replica_backoff.failures, of_brokers));
}

static void fail_replica(struct pipeline *p) {
	backoff_fail(&p->replica_backoff, clock_monotonic_ms(), REPAIR_PAUSE_MIN_MS,
		     REPLICA_PAUSE_MAX_MS);
	if (p->replica_backoff.failures >= REPAIRS_FAILING)
		tell_of_folder(p);
}

/* SQLite failed: its file is made anew from the changelog; deleting it loses nothing (R7). Returns
 * whether there is one. */
static bool have_replica(struct pipeline *p) {
	if (p->replica && !p->replica_error)
		return true;
	if (p->replica) {
		log_error("replica failed: it is made anew from the changelog", "error=%s",
			  log_quote(strerror(-p->replica_error)));
		assignment_resync(p);
		fail_replica(
		    p); /* before it is removed: the room that it took is none that is left */
		replica_discard(TAKE(p->replica));
	}
	if (!backoff_is_over(&p->replica_backoff, clock_monotonic_ms())) {
		wait_for_wake(p, WAIT_MAX_MS);
		return false;
	}
	if (replica_open(p->config->worker_data_dir, p->cluster_id, p->codec, &p->replica) < 0) {
		fail_replica(p);
		return false;
	}
	p->replica_error = 0;
	use_replica(p);
	return true;
}

static bool is_restoring(const struct pipeline *p) {
	for (int32_t i = 0; i < p->partition_count; i++)
		if (p->partitions[i].state == PARTITION_RESTORING)
			return true;
	return false;
}

/* It has served for a while: what fails next fails for the first time. */
static void forget_failures(struct pipeline *p, int64_t now_ms) {
	if (p->replica_backoff.failures && now_ms > p->replica_backoff.until_ms + HEALED_AFTER_MS &&
	    !is_restoring(p))
		backoff_clear(&p->replica_backoff);
	count_repairs(p);
}

static void update_lag(struct pipeline *p) {
	static const enum metric_input inputs[] = { [INPUT_ADMIN] = METRIC_INPUT_ADMIN,
						    [INPUT_ISSUANCE] = METRIC_INPUT_ISSUANCE };

	for (int32_t i = 0; i < p->partition_count; i++)
		for (int input = 0; input < POSITION_INPUTS; input++) {
			const char *topic =
			    input == INPUT_ADMIN ? p->topics.admin : p->topics.issuance;
			int64_t low, high, lag = -1;

			if (p->partitions[i].state == PARTITION_ACTIVE &&
			    !rd_kafka_get_watermark_offsets(p->consumer, topic, i, &low, &high) &&
			    high >= 0)
				lag = MAX(high - p->partitions[i].next[input], (int64_t)0);
			atomic_store(&p->metrics.partitions[i].lag[inputs[input]], lag);
		}
}

/* How long there is nothing to do, unless something comes. */
static int64_t idle_ms(const struct pipeline *p) {
	int64_t due_ms = dispatcher_next_due_ms(p->dispatcher), now_ms = clock_wall_ms();

	return due_ms <= now_ms ? 0 : MIN(due_ms - now_ms, (int64_t)WAIT_MAX_MS);
}

static bool is_serving(const struct pipeline *p) {
	for (int32_t i = 0; i < p->partition_count; i++)
		if (p->partitions[i].state == PARTITION_ACTIVE)
			return true;
	return false;
}

static bool restore_slice(struct pipeline *p) {
	bool more;
	int r;

	assignment_begin_restores(p);
	if (p->replica_error)
		return true;
	r = restorer_step(p->restorer, is_serving(p) ? RESTORE_SLICE_MS : RESTORE_ALONE_MS);
	more = r != 0;
	if (r < 0)
		p->replica_error = r;
	else
		more |= assignment_activate_restored(p);
	if (p->input_stale)
		assignment_apply(p);
	return more;
}

/* For how long a restore keeps what is served waiting. */
static bool restore_slice_timed(struct pipeline *p) {
	int64_t begin_ms = clock_monotonic_ms(),
		longest = atomic_load(&p->metrics.restore_step_longest_ms);
	bool more = restore_slice(p);

	atomic_store(&p->metrics.restore_step_longest_ms,
		     MAX(longest, clock_monotonic_ms() - begin_ms));
	return more;
}

static bool refill(struct pipeline *p) {
	int r = pipeline_has_replica(p) ? dispatcher_refill(p->dispatcher, clock_wall_ms()) : 0;

	if (r < 0)
		p->replica_error = r;
	return r < 0 || dispatcher_has_cancellations(p->dispatcher);
}

/* Turns share a commit of SQLite, soon. */
static void flush_replica(struct pipeline *p) {
	int r;

	if (!pipeline_has_replica(p) || !replica_is_due(p->replica, clock_monotonic_ms()))
		return;
	fault_step("before-sqlite-commit");
	r = replica_flush(p->replica);
	if (r < 0)
		p->replica_error = r;
	fault_step("after-sqlite-commit");
}

/* Once round: a slice of what is being restored, a turn, the windows. Returns whether there is more
 * to do at once. */
static bool run_once(struct pipeline *p) {
	bool more;

	if (!have_consumer(p))
		return false;
	turn_poll_events(p);
	if (p->consumer_lost || p->fatal || !have_replica(p) || !have_transaction(p))
		return true;
	more = restore_slice_timed(p);
	more |= turn_run(p);
	assignment_skip_lost(p);
	if (p->input_stale && !p->replica_error)
		assignment_apply(p);
	more |= refill(p);
	flush_replica(p);
	return more;
}

/* No new attempt; those in flight end, and what became of them is committed. */
static void drain(struct pipeline *p) {
	log_info("draining", "in_flight=%d", atomic_load(&engine_counters(p->engine)->in_flight));
	assignment_close_gates(p);
	if (!engine_wait_idle(p->engine, p->config->delivery_timeout_ms + DRAIN_MARGIN_MS))
		log_warn("attempts are still in flight: they will be made again", "in_flight=%d",
			 atomic_load(&engine_counters(p->engine)->in_flight));
	turn_run_outcomes(p);
}

int pipeline_run(struct pipeline *p) {
	int64_t lag_at_ms = 0, trim_at_ms = clock_monotonic_ms() + TRIM_INTERVAL_MS;

	while (!p->stopping && !p->fatal) {
		bool more = run_once(p);
		int64_t now_ms = clock_monotonic_ms();

		atomic_store_explicit(&p->metrics.loop_at_ms, now_ms, memory_order_relaxed);
		if (now_ms >= lag_at_ms) {
			update_lag(p);
			forget_failures(p, now_ms);
			heed_refused_login(p, now_ms);
			lag_at_ms = now_ms + LAG_INTERVAL_MS;
		}
		if (now_ms >= trim_at_ms) {
			malloc_trim(0); /* every arena keeps what the largest burst took, each
					   thread's its own */
			trim_at_ms = now_ms + TRIM_INTERVAL_MS;
		}
		if (!more)
			wait_for_wake(p, idle_ms(p));
	}
	if (p->fatal)
		assignment_close_gates(p);
	else
		drain(p);
	return p->fatal;
}

enum pipeline_readiness pipeline_readiness(const struct pipeline *p) {
	bool is_repaired_in_vain = atomic_load(&p->metrics.repairs_in_a_row) >= REPAIRS_FAILING;
	enum pipeline_readiness readiness = PIPELINE_READY;

	if (atomic_load(&p->metrics.refused))
		return PIPELINE_FAILING;
	if (!p->group_joined)
		return is_repaired_in_vain ? PIPELINE_FAILING : PIPELINE_STARTING;
	if (atomic_load(&p->metrics.undone_in_a_row) >= FAILING_AFTER)
		return PIPELINE_FAILING;
	for (int32_t i = 0; i < p->metrics.partition_count; i++) {
		int state = atomic_load(&p->metrics.partitions[i].state);

		if (state == PARTITION_FAILED)
			return PIPELINE_TORN;
		if (state == PARTITION_RESTORING || state == PARTITION_SUSPENDED)
			readiness = is_repaired_in_vain ? PIPELINE_FAILING : PIPELINE_RESTORING;
	}
	return readiness;
}
