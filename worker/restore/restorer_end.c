#include "restore/restorer_end.h"

#include "base/clock.h"
#include "base/log.h"
#include "rdkafka/takeover.h"
#include "restore/restorer_begin.h"
#include "restore/restorer_write.h"

#include <malloc.h>

enum { TAKEOVER_INTERVAL_MS = 1000 };

static void put_off_takeovers(struct restorer *restorer, const char *worker_id, int64_t until_ms) {
	for (struct restore *restore = restorer->restores; restore; restore = restore->next)
		restore_put_off_takeover(restore, worker_id, until_ms);
}

/* Where the transaction was another worker's, the coordinator's timeout ends it. */
void restorer_take_over(struct restorer *restorer) {
	const struct restorer_settings *settings = &restorer->settings;

	for (struct restore *restore = restorer->restores; restore; restore = restore->next) {
		int64_t now_ms = clock_monotonic_ms();
		const char *worker_id =
		    restore_find_dead_writer(restore, settings->config->worker_id, now_ms);

		if (!worker_id)
			continue;
		put_off_takeovers(restorer, worker_id, now_ms + TAKEOVER_INTERVAL_MS);
		if (takeover_end_transaction(settings->config, settings->topics,
					     restorer->clients.reader, worker_id) == 0)
			return;
	}
}

/* After the last restore: what is left takes as little as before the first. */
static void put_away(struct restorer *restorer) {
	restore_metrics_refuse(restorer->settings.metrics, false);
	fold_clear(restorer->fold);
	fold_clear(restorer->batch.fold);
	backoff_clear(&restorer->ask_backoff);
	restore_clients_close(&restorer->clients);
	restore_progress_init(&restorer->progress);
	malloc_trim(0);
}

void restorer_unlink(struct restorer *restorer, struct restore *restore) {
	struct restore **at = &restorer->restores;

	while (*at != restore)
		at = &(*at)->next;
	*at = restore->next;
	restorer->assignment_stale = true;
	if (!restorer->restores)
		put_away(restorer);
}

static void end_restore(struct restorer *restorer, struct restore *restore) {
	if (restore->torn)
		log_error("changelog's history is torn: the partition is not served",
			  "partition=%d offset=%lld reason=%s", restore->partition,
			  (long long)restore->next_offset, log_quote(restore->torn));
	log_info("partition restored", "partition=%d records=%lld offset=%lld ms=%lld",
		 restore->partition, (long long)restore->records, (long long)restore->next_offset,
		 (long long)(clock_monotonic_ms() - restore->started_ms));
	restorer_unlink(restorer, restore);
	restore->next = restorer->ended;
	restorer->ended = restore;
}

static bool has_ended(const struct restore *restore) {
	enum restore_state state = restore_state(restore);

	return state == RESTORE_DONE || state == RESTORE_TORN;
}

/* From the end of filling on the replica has something to lose, and its rows are read. */
static int finish_restore(struct restorer *restorer, struct restore *restore) {
	const char *why;
	int r;

	restorer_write_wait(restorer);
	if (restorer->write_error < 0)
		return restorer->write_error;
	why = restore->torn ? NULL : restore_check_done(restore);
	r = why ? restorer_begin_again(restorer, restore, why)
		: replica_fill_end(restorer->replica);
	if (r == 0 && has_ended(restore))
		end_restore(restorer, restore);
	return r;
}

int restorer_finish(struct restorer *restorer) {
	int r = 0;

	for (struct restore *restore = restorer->restores, *next; restore && r == 0;
	     restore = next) {
		next = restore->next;
		if (has_ended(restore))
			r = finish_restore(restorer, restore);
	}
	return r;
}
