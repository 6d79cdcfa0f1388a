#include "pipeline/loop.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/invariant.h"
#include "base/notify.h"
#include "pipeline/ownership_inputs.h"
#include "pipeline/wake.h"

#include <malloc.h>

enum {
	WAIT_MAX_MS = 100,      /* a wake-up that was missed costs this much and no more */
	WAIT_PUT_OFF_MS = 5,    /* until it is looked again whether the turn begins */
	RESTORE_SLICE_MS = 20,  /* while others are served */
	RESTORE_ALONE_MS = 200, /* while nothing else is: fewer, larger transactions of SQLite */
	DRAIN_MARGIN_MS = 1000,
	GIVE_AWAY_MS = 1000, /* the others wait for the partitions meanwhile */
	WATCH_INTERVAL_MS = 1000,
	TRIM_INTERVAL_MS = 60 * 1000,
};

/* The steps. */

/* A turn may be run: the stores are there, and no restore has the replica for itself. */
static bool can_turn(const struct loop *loop) {
	return stores_are_ready(loop->stores) && !restorer_owns_replica(loop->restorer);
}

static struct turn_stores turn_stores(const struct loop *loop) {
	return (struct turn_stores){ stores_replica(loop->stores),
				     stores_transaction(loop->stores) };
}

/* Turn by turn, until all are committed, one is undone, or `bound_ms` are over. */
static struct step commit_outcomes(struct loop *loop, int64_t bound_ms) {
	int64_t until_ms = clock_monotonic_ms() + bound_ms;
	struct turn_stores stores = turn_stores(loop);
	struct step step = step_done(false);

	if (!can_turn(loop))
		return step;
	do
		step = turns_run_outcomes(loop->turns, &stores);
	while (step.end == STEP_DONE && step.more && clock_monotonic_ms() < until_ms);
	return step;
}

/* What is done is committed before partitions are given away (R5); it need not be read again. */
static struct step give_away(struct loop *loop) {
	bool is_lost = membership_is_lost(loop->membership);
	struct step step = step_done(true);

	log_info("partitions revoked", "lost=%d generation=%d", is_lost,
		 membership_generation(loop->membership));
	ownership_close_gates(loop->ownership);
	if (!is_lost)
		step = commit_outcomes(loop, GIVE_AWAY_MS);
	ownership_suspend(loop->ownership);
	membership_leave(loop->membership);
	return step.end == STEP_REREAD ? step_done(true) : step;
}

static struct step take_over(struct loop *loop, const rd_kafka_topic_partition_list_t *list) {
	struct step step = ownership_assign(loop->ownership, list);

	/* Last: it would be ready while no partition is being restored yet. */
	if (step.end == STEP_DONE)
		atomic_store(loop->has_joined, true);
	return step;
}

static struct step heed(struct loop *loop, const struct membership_news *news) {
	switch (news->event) {
	case MEMBERSHIP_ASSIGNED:
		return take_over(loop, news->partitions);
	case MEMBERSHIP_REVOKED:
		return give_away(loop);
	case MEMBERSHIP_STRAY:
		return step_end(STEP_REREAD);
	case MEMBERSHIP_INPUT_LOST:
		ownership_note_lost(loop->ownership, news->partitions);
		return step_done(true);
	case MEMBERSHIP_EXPIRED:
		return step_end(STEP_EXPIRED);
	case MEMBERSHIP_REPLACED:
		return step_end(STEP_REPLACED);
	case MEMBERSHIP_REFUSED:
		return step_end(STEP_FATAL);
	}
	impossible("news have a kind");
}

static struct step hear(struct loop *loop) {
	struct step step = step_done(false);

	membership_poll(loop->membership);
	while (step.end == STEP_DONE && membership_has_news(loop->membership)) {
		_cleanup_(membership_news_freep) struct membership_news *news =
		    membership_take_news(loop->membership);

		step = heed(loop, news);
	}
	return step;
}

static struct step prepare(struct loop *loop) {
	return stores_prepare(loop->stores);
}

static void note_delay(struct loop *loop, int64_t since_ms) {
	int64_t longest_ms = atomic_load(&loop->metrics->restore_step_longest_ms);

	atomic_store(&loop->metrics->restore_step_longest_ms,
		     MAX(longest_ms, clock_monotonic_ms() - since_ms));
}

/* Of a slice, so that a rebalance and the turns need not wait for the end of a restore (R6). */
static int64_t slice_ms(const struct loop *loop) {
	return ownership_has(loop->ownership, PARTITION_ACTIVE) ? RESTORE_SLICE_MS
								: RESTORE_ALONE_MS;
}

static struct step restore(struct loop *loop) {
	int64_t begun_ms = clock_monotonic_ms();
	struct step step = ownership_restore(loop->ownership, slice_ms(loop));

	note_delay(loop, begun_ms);
	return step;
}

static struct step activate(struct loop *loop) {
	int64_t begun_ms = clock_monotonic_ms();
	struct step step = step_done(false);

	if (!restorer_owns_replica(loop->restorer))
		step = ownership_activate(loop->ownership, stores_replica(loop->stores),
					  transaction_client(stores_transaction(loop->stores)),
					  slice_ms(loop));
	note_delay(loop, begun_ms);
	return step;
}

static struct step turn(struct loop *loop) {
	struct turn_stores stores = turn_stores(loop);

	return can_turn(loop) ? turns_run(loop->turns, &stores) : step_done(false);
}

/* A turn follows soon, for which nothing will wake the loop. */
static bool is_put_off(const struct loop *loop) {
	return can_turn(loop) && turns_are_put_off(loop->turns);
}

static struct step skip_lost(struct loop *loop) {
	return ownership_skip_lost(loop->ownership,
				   transaction_client(stores_transaction(loop->stores)));
}

static struct step heed_group(struct loop *loop) {
	return ownership_heed_group(loop->ownership);
}

static struct step let_on(struct loop *loop) {
	return ownership_let_on(loop->ownership);
}

static struct step refill(struct loop *loop) {
	int r;

	if (!can_turn(loop))
		return step_done(false);
	r = dispatcher_refill(loop->dispatcher, clock_wall_ms());
	if (r < 0)
		return step_replica_failed(r);
	return step_done(dispatcher_has_cancellations(loop->dispatcher) &&
			 turns_may_run(loop->turns));
}

/* Turns share a commit of SQLite, soon. */
static struct step flush(struct loop *loop) {
	struct replica *replica = stores_replica(loop->stores);
	int r;

	if (restorer_owns_replica(loop->restorer) || is_put_off(loop) ||
	    !replica_is_due(replica, clock_monotonic_ms()))
		return step_done(false);
	fault_step("before-sqlite-commit");
	r = replica_flush(replica);
	fault_step("after-sqlite-commit");
	return r < 0 ? step_replica_failed(r) : step_done(false);
}

/* What follows from a step. */

/* Returns whether the round may go on. */
static bool read_again(struct loop *loop) {
	if (ownership_read(loop->ownership).end == STEP_DONE)
		return true;
	loop->end = STEP_FATAL;
	return false;
}

static void resync(struct loop *loop) {
	stores_drop_transaction(loop->stores);
	ownership_resync(loop->ownership);
	read_again(loop);
}

/* Under the same worker.id the next consumer is the same member, with a new assignment. */
static void join_again(struct loop *loop) {
	/* Nothing is committed any more in the name of a member that is none. */
	ownership_close_gates(loop->ownership);
	ownership_suspend(loop->ownership);
	membership_close(loop->membership);
	if (membership_open(loop->membership) < 0 || membership_join(loop->membership) < 0)
		loop->end = STEP_FATAL;
}

static bool follow(struct loop *loop, const struct step *step) {
	if (step->is_fenced)
		membership_drop_group(loop->membership);
	switch (step->end) {
	case STEP_DONE:
		return true;
	case STEP_REREAD:
		return read_again(loop);
	case STEP_RESYNC:
		resync(loop);
		return false;
	case STEP_REPLICA_FAILED:
		resync(loop);
		stores_drop_replica(loop->stores, step->error);
		return false;
	case STEP_EXPIRED:
		join_again(loop);
		return false;
	case STEP_REPLACED:
	case STEP_FATAL:
		loop->end = step->end;
		return false;
	}
	impossible("a step has an end");
}

/* The loop. */

static const struct {
	struct step (*run)(struct loop *loop);
	bool needs_stores;
} steps[] = {
	{ hear, false },  { prepare, false },  { restore, true },    { activate, true },
	{ turn, true },   { skip_lost, true }, { heed_group, true }, { let_on, true },
	{ refill, true }, { flush, true },
};

/* Returns whether there is more to do at once. */
static bool run_once(struct loop *loop) {
	bool more = false;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct step step;

		if (steps[i].needs_stores && !stores_are_ready(loop->stores))
			continue;
		step = steps[i].run(loop);
		more |= step.more;
		if (!follow(loop, &step))
			return true;
	}
	return more;
}

/* How long there is nothing to do, unless something comes. */
static int64_t idle_ms(const struct loop *loop) {
	int64_t due_in_ms = dispatcher_next_due_ms(loop->dispatcher) - clock_wall_ms();
	int64_t longest_ms = is_put_off(loop) ? WAIT_PUT_OFF_MS : WAIT_MAX_MS;

	if (!can_turn(loop))
		return longest_ms;
	return MAX(MIN(due_in_ms, longest_ms), (int64_t)0);
}

static void watch(struct loop *loop, int64_t now_ms) {
	int of_stores, of_brokers;

	notify_watchdog();
	membership_watch(loop->membership);
	ownership_update_lag(loop->ownership);
	ownership_update_group(loop->ownership);
	if (!ownership_has(loop->ownership, PARTITION_RESTORING))
		stores_forget_failures(loop->stores, now_ms);
	(void)brokers_refuse_login(loop->brokers, now_ms);
	of_stores = stores_failures(loop->stores);
	of_brokers = MAX(ownership_failures(loop->ownership), restorer_failures(loop->restorer));
	atomic_store(&loop->metrics->repairs_in_a_row, MAX(of_stores, of_brokers));
}

/* No new attempt begins; those in flight end, and their outcomes are committed. */
static void drain(struct loop *loop) {
	const struct engine_counters *counters = engine_counters(loop->engine);
	struct step step;

	log_info("draining", "in_flight=%d", atomic_load(&counters->in_flight));
	ownership_close_gates(loop->ownership);
	if (!engine_wait_idle(loop->engine, loop->config->delivery_timeout_ms + DRAIN_MARGIN_MS))
		log_warn("attempts are still in flight: they will be made again", "in_flight=%d",
			 atomic_load(&counters->in_flight));
	step = commit_outcomes(loop, loop->config->delivery_timeout_ms);
	if (step.end != STEP_DONE || step.more)
		log_warn("the last outcomes are not committed: their attempts will be made again",
			 "step=%d", (int)step.end);
}

enum step_end loop_run(struct loop *loop) {
	int64_t watch_at_ms = 0, trim_at_ms = clock_monotonic_ms() + TRIM_INTERVAL_MS;

	while (!atomic_load(loop->stopping) && loop->end == STEP_DONE) {
		bool more = run_once(loop);
		int64_t now_ms = clock_monotonic_ms();

		atomic_store_explicit(&loop->metrics->loop_at_ms, now_ms, memory_order_relaxed);
		if (now_ms >= watch_at_ms) {
			watch(loop, now_ms);
			watch_at_ms = now_ms + WATCH_INTERVAL_MS;
		}
		if (now_ms >= trim_at_ms) {
			malloc_trim(0); /* each thread's arena keeps what its largest burst took */
			trim_at_ms = now_ms + TRIM_INTERVAL_MS;
		}
		if (!more)
			wake_wait(loop->wake_fd, idle_ms(loop));
	}
	if (loop->end != STEP_DONE)
		ownership_close_gates(loop->ownership);
	else
		drain(loop);
	return loop->end;
}
