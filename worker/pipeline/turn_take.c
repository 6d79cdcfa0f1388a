/*
 * Taking: what a turn is to do. What is no command is gathered before its transaction is opened;
 * commands come one by one. Rebalances happen in turn_poll_events and nowhere else, so never inside
 * a turn.
 */
#include "base/clock.h"
#include "pipeline/turn.h"
#include "rdkafka/refusal.h"

enum {
	CANCELLATIONS_PER_TURN = 500,
	REPORTS_PER_TURN = 500,
	EXPIRED_PER_TURN = 500,
	EXPIRY_INTERVAL_MS = 10 * 1000,
	PACE_WINDOW_US = 20 * 1000,
	AHEAD_MAX_US = 500 * 1000,
};

/*
 * Another worker with our id, or nobody at all: when the session times out in librdkafka 2.0.2, as
 * it does while a dead coordinator is replaced, it forgets its member id, and its next heartbeat,
 * without one, is refused as if from an older worker. Source: librdkafka, issue 3437.
 */
static void handle_fenced(struct pipeline *p) {
	if (client_take_session_timeout()) {
		log_warn("session timed out: joining the group anew", "worker=%s",
			 p->config->worker_id);
		p->consumer_lost = true;
		return;
	}
	log_error("another worker with this worker.id took over: exiting", "worker=%s",
		  p->config->worker_id);
	p->fatal = PIPELINE_E_REPLACED;
}

/* What it may not read, or a group that does not take it: it goes on once that is mended, but for
 * its own settings. */
static void handle_refused(struct pipeline *p, const rd_kafka_message_t *message) {
	const char *kind = message->rkt ? "topic" : "group";

	if (!refusal_log(message->err, "Read", kind,
			 message->rkt ? rd_kafka_topic_name(message->rkt) : p->config->group_id)) {
		log_warn("consumer", "error=%s", log_quote(rd_kafka_message_errstr(message)));
		return;
	}
	metric_refuse(&p->metrics, METRIC_REFUSED_INPUT, true);
	if (message->err == RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT)
		p->fatal = PIPELINE_E_FATAL;
}

/* What the consumer says besides records. */
static void handle_consumer_error(struct pipeline *p, const rd_kafka_message_t *message) {
	char reason[512];

	if (message->err == RD_KAFKA_RESP_ERR__FATAL) {
		rd_kafka_resp_err_t err = rd_kafka_fatal_error(p->consumer, reason, sizeof(reason));

		if (err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
			handle_fenced(p);
		} else {
			log_error("consumer failed for good", "error=%s", log_quote(reason));
			p->fatal = PIPELINE_E_FATAL;
		}
	} else if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && message->rkt) {
		assignment_offset_lost(p, rd_kafka_topic_name(message->rkt), message->partition);
	} else {
		handle_refused(p, message);
	}
}

/* Whether the delivery threads have been at work for more than a third of the time, of late. */
static bool engine_is_busy(struct pipeline *p) {
	struct pace *pace = &p->pace;
	int64_t now_us = clock_monotonic_us(), passed_us = now_us - pace->asked_us;
	uint64_t worked_us =
	    atomic_load_explicit(&engine_counters(p->engine)->worked_us, memory_order_relaxed);

	if (passed_us < PACE_WINDOW_US)
		return pace->is_busy;
	pace->is_busy =
	    (int64_t)(worked_us - pace->worked_us) > passed_us * p->config->delivery_threads / 3;
	pace->asked_us = now_us;
	pace->worked_us = worked_us;
	return pace->is_busy;
}

/*
 * Commands that are handled while the delivery threads cannot keep up become rows, are looked up
 * again, and are deleted: so they wait in Kafka, as long as there is enough for these threads to
 * do. Never for long, whatever is wrong with this judgement.
 */
static bool is_ahead(struct pipeline *p) {
	struct pace *pace = &p->pace;
	int64_t now_us = clock_monotonic_us();

	if (!engine_is_busy(p) || !dispatcher_has_broad_backlog(p->dispatcher) ||
	    now_us - pace->took_us > AHEAD_MAX_US) {
		pace->took_us = now_us;
		return false;
	}
	return true;
}

/* Not what was read before the partition's offset was set. */
static bool is_next(const struct pipeline *p, const rd_kafka_message_t *message) {
	const struct partition *partition = &p->partitions[message->partition];

	return partition->state == PARTITION_ACTIVE &&
	       message->offset >= partition->turn_next[intake_input(&p->intake, message)];
}

rd_kafka_message_t *turn_next_command(struct pipeline *p) {
	rd_kafka_message_t *message;

	while (!p->fatal && !p->consumer_lost && (message = inputs_next(p->inputs))) {
		if (!message->err && is_next(p, message)) {
			metric_refuse(&p->metrics, METRIC_REFUSED_INPUT, false);
			return message;
		}
		if (message->err)
			handle_consumer_error(p, message);
		rd_kafka_message_destroy(message);
	}
	return NULL;
}

void turn_poll_events(struct pipeline *p) {
	rd_kafka_message_t *message = rd_kafka_consumer_poll(p->consumer, 0);

	if (!message)
		return;
	if (message->err)
		handle_consumer_error(p, message);
	else
		p->input_stale = true; /* read again, from the last commit */
	rd_kafka_message_destroy(message);
}

static void keep_outcome(struct pipeline *p, struct job *job) {
	job->next = NULL;
	*p->outcomes_end = job;
	p->outcomes_end = &job->next;
}

void turn_keep_outcomes(struct pipeline *p, struct job *jobs) {
	while (jobs) {
		struct job *next = jobs->next;

		keep_outcome(p, jobs);
		jobs = next;
	}
}

/*
 * Sorts what came back: of an older epoch, it is discarded (R5); of a partition that is being
 * restored or was revoked, it waits until that is decided; refused, it leaves memory. What is left
 * is linked into `out`.
 */
static struct job *take_outcomes(struct pipeline *p) {
	struct job *jobs, *next, *taken = NULL, **taken_end = &taken;

	*p->outcomes_end = engine_collect(p->engine);
	jobs = p->outcomes;
	p->outcomes = NULL;
	p->outcomes_end = &p->outcomes;
	for (; jobs; jobs = next) {
		struct partition *partition = &p->partitions[jobs->partition];

		next = jobs->next;
		if (jobs->epoch != partition->epoch) {
			metric_add(&p->metrics.deliveries[METRIC_DELIVERY_DISCARDED],
				   jobs->end == JOB_ATTEMPTED);
			job_free(jobs);
		} else if (partition->state != PARTITION_ACTIVE) {
			keep_outcome(p, jobs);
		} else if (jobs->end == JOB_REFUSED) {
			dispatcher_return_job(p->dispatcher, jobs, clock_wall_ms());
			job_free(jobs);
		} else {
			jobs->next = NULL;
			*taken_end = jobs;
			taken_end = &jobs->next;
		}
	}
	return taken;
}

/* Receipts, keys and dead deliveries of one partition whose time is over. Returns 0, or a negative
 * errno. */
static int take_expired_of(struct pipeline *p, struct work *work, int32_t id, size_t limit,
			   size_t *found) {
	int64_t now_ms = clock_wall_ms(),
		dead_before_ms = now_ms - p->config->delivery_dead_retention_ms;
	struct expired expired = { .partition = &p->partitions[id] };
	int r;

	if (expired.partition->state != PARTITION_ACTIVE)
		return 0;
	r = replica_expired(p->replica, p->arena, id, now_ms, dead_before_ms, limit, &expired.keys,
			    &expired.count);
	if (r < 0 || expired.count == 0)
		return r;
	if (!work->expired)
		work->expired = arena_alloc(
		    p->arena,
		    EXPIRED_PER_TURN * sizeof(*work->expired)); /* one key of each, at least */
	work->expired[work->expired_count++] = expired;
	*found += expired.count;
	return 0;
}

/* Now and then, over all partitions; as many in a turn as it can bear, and on from there in the
 * next one. */
static int take_expired(struct pipeline *p, struct work *work) {
	size_t found = 0;

	if (clock_monotonic_ms() < p->expiry_at_ms)
		return 0;
	for (; p->expiry_partition < p->partition_count; p->expiry_partition++) {
		int r =
		    take_expired_of(p, work, p->expiry_partition, EXPIRED_PER_TURN - found, &found);

		if (r < 0 || found >= EXPIRED_PER_TURN)
			return r;
	}
	p->expiry_partition = 0;
	p->expiry_at_ms = clock_monotonic_ms() + EXPIRY_INTERVAL_MS;
	return 0;
}

int turn_take(struct pipeline *p, struct work *work, bool with_commands) {
	int r;

	work->outcomes = take_outcomes(p);
	if (dispatcher_has_cancellations(p->dispatcher)) {
		r = dispatcher_list_cancellations(p->dispatcher, p->arena, CANCELLATIONS_PER_TURN,
						  &work->cancellations, &work->cancellation_count);
		if (r < 0)
			return r;
	}
	work->report_count =
	    dispatcher_list_reports(p->dispatcher, p->arena, REPORTS_PER_TURN, &work->reports);
	r = take_expired(p, work);
	if (r == 0 && with_commands && !is_ahead(p)) {
		inputs_turn_over(p->inputs);
		work->command = turn_next_command(p);
	}
	return r;
}

bool turn_is_idle(const struct work *work) {
	return !work->command && !work->outcomes && !work->cancellation_count &&
	       !work->report_count && !work->expired_count;
}
