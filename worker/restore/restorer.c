#include "restore/restorer.h"

#include "base/clock.h"
#include "base/invariant.h"
#include "base/log.h"
#include "restore/restorer_ask.h"
#include "restore/restorer_begin.h"
#include "restore/restorer_end.h"
#include "restore/restorer_take.h"
#include "restore/restorer_write.h"

struct restorer *restorer_new(const struct restorer_settings *settings) {
	struct restorer *restorer = x_calloc(1, sizeof(*restorer));

	*restorer = (struct restorer){
		.settings = *settings,
		.clients = { .config = settings->config,
			     .topic_name = settings->topics->state,
			     .wake_fd = settings->wake_fd },
		.fold = fold_new(),
		.arena = arena_new(),
	};
	batch_init(&restorer->batch, settings->codec, settings->metrics, settings->wake_fd);
	restore_progress_init(&restorer->progress);
	return restorer;
}

void restorer_free(struct restorer *restorer) {
	if (!restorer)
		return;
	for (int32_t i = 0; i < restorer->by_partition_count; i++)
		restorer_remove(restorer, i);
	restore_clients_close(&restorer->clients);
	fold_free(restorer->fold);
	batch_destroy(&restorer->batch);
	arena_free(restorer->arena);
	free(restorer->by_partition);
	free(restorer);
}

void restorer_set_replica(struct restorer *restorer, struct replica *replica) {
	restorer->replica = restorer->batch.replica = replica;
	restorer->write_error = 0;
}

/* Which partitions. */

static void enter_restore(struct restorer *restorer, struct restore *restore) {
	int32_t count = MAX(restorer->by_partition_count, restore->partition + 1);

	restorer->by_partition =
	    x_realloc(restorer->by_partition, (size_t)count * sizeof(*restorer->by_partition));
	while (restorer->by_partition_count < count)
		restorer->by_partition[restorer->by_partition_count++] = NULL;
	invariant_with(!restorer->by_partition[restore->partition],
		       "a partition has one restore at a time", "partition=%d", restore->partition);
	restorer->by_partition[restore->partition] = restore;
	restore->next = restorer->restores;
	restorer->restores = restore;
	restorer->assignment_stale = true;
}

int restorer_add(struct restorer *restorer, const struct restore_request *request) {
	struct restore *restore =
	    restore_new(request, ++restorer->last_source, clock_monotonic_ms());
	int r;

	restorer_write_wait(restorer);
	enter_restore(restorer, restore);
	r = restore_clients_open(&restorer->clients);
	return r < 0 ? r : restorer_begin(restorer, restore);
}

bool restorer_has(const struct restorer *restorer, int32_t partition) {
	return restorer_find(restorer, partition);
}

static void forget_restore(struct restorer *restorer, struct restore *restore) {
	restorer->by_partition[restore->partition] = NULL;
	restore_free(restore);
}

static bool unlink_ended(struct restorer *restorer, const struct restore *restore) {
	for (struct restore **at = &restorer->ended; *at; at = &(*at)->next)
		if (*at == restore) {
			*at = restore->next;
			return true;
		}
	return false;
}

void restorer_remove(struct restorer *restorer, int32_t partition) {
	struct restore *restore = restorer_find(restorer, partition);

	if (!restore)
		return;
	if (!unlink_ended(restorer, restore)) {
		restorer_write_wait(restorer);
		restorer_unlink(restorer, restore);
	}
	forget_restore(restorer, restore);
}

bool restorer_take_ended(struct restorer *restorer, struct restore_result *out) {
	struct restore *restore = restorer->ended;

	if (!restore)
		return false;
	*out = (struct restore_result){
		.partition = restore->partition,
		.end = restore_end(restore),
		.position = restore->history.position,
		.position_offset = restore->history.position_offset,
	};
	restorer->ended = restore->next;
	forget_restore(restorer, restore);
	return true;
}

/* A step. */

static void show_progress(struct restorer *restorer) {
	int64_t now_ms = clock_monotonic_ms();
	struct restore_progress_report report;

	for (struct restore *restore = restorer->restores; restore; restore = restore->next) {
		atomic_store(&restore->gauges->offset, restore->next_offset);
		if (restore_is_stuck(restore, now_ms))
			log_error("restore makes no progress",
				  "partition=%d offset=%lld target=%lld", restore->partition,
				  (long long)restore->next_offset, (long long)restore->target);
	}
	if (restore_progress_report(&restorer->progress, restorer->restores, now_ms, &report))
		restore_progress_log(&report);
}

/* Returns whether there was something to do, or a negative errno. */
static int read_or_write(struct restorer *restorer, int64_t deadline_ms) {
	if (restorer_write_is_blocked(restorer))
		return 0;
	if (restorer_write_is_due(restorer))
		return restorer_write_slice(restorer, deadline_ms);
	if (restorer->assignment_stale)
		restore_clients_assign(&restorer->clients, restorer->restores);
	restorer->assignment_stale = false;
	restore_clients_nudge(&restorer->clients, restorer->restores, clock_monotonic_ms());
	return restorer_take(restorer, deadline_ms);
}

static bool has_more(const struct restorer *restorer, bool did_something) {
	return restorer->restores && !restorer_write_is_blocked(restorer) &&
	       (did_something || restorer->assignment_stale || restorer_write_is_due(restorer));
}

int restorer_step(struct restorer *restorer, int64_t budget_ms) {
	int r, did_something;

	if (restorer->write_error < 0)
		return restorer->write_error;
	if (!restorer->restores)
		return 0;
	r = restorer_ask(restorer);
	if (r <= 0)
		return r;
	did_something = read_or_write(restorer, clock_monotonic_ms() + budget_ms);
	if (did_something < 0)
		return did_something;
	restorer_take_over(restorer);
	show_progress(restorer);
	r = restorer_finish(restorer);
	restorer_write_prepare(restorer);
	return r != 0 ? r : has_more(restorer, did_something);
}

bool restorer_owns_replica(const struct restorer *restorer) {
	return restorer->batch.in_background;
}

int restorer_failures(const struct restorer *restorer) {
	return restorer->ask_backoff.failures;
}
