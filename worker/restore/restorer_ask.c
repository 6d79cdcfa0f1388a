#include "restore/restorer_ask.h"

#include "base/clock.h"
#include "rdkafka/refusal.h"
#include "restore/restorer_begin.h"

enum { PAUSE_MIN_MS = 50, PAUSE_MAX_MS = 1000 };

static void log_no_answer(const struct restorer *restorer, const char *operation,
			  rd_kafka_resp_err_t err) {
	_cleanup_(x_freep) char *cause =
	    x_asprintf("%s: a broker is down or cannot be reached; it is tried again by itself",
		       rd_kafka_err2str(err));

	refusal_log_cause(operation, "topic", restorer->settings.topics->state, cause);
}

static void handle_no_end(struct restorer *restorer, rd_kafka_resp_err_t err) {
	if (refusal_log(err, "Describe", "topic", restorer->settings.topics->state))
		restore_metrics_refuse(restorer->settings.metrics, true);
	else
		log_no_answer(restorer, "ask for the end", err);
}

/* Returns 1 when the target is known, 0 when the brokers did not tell, or a negative errno. */
static int ask_target(struct restorer *restorer, struct restore *restore) {
	int64_t low, high;
	rd_kafka_resp_err_t err =
	    restore_clients_ask_end(&restorer->clients, restore->partition, &low, &high);
	const char *why;

	if (err) {
		handle_no_end(restorer, err);
		return 0;
	}
	why = restore_check_target(restore, high);
	if (why) {
		int r = restorer_begin_again(restorer, restore, why);

		if (r < 0)
			return r;
	}
	restore_set_target(restore, low, high);
	atomic_store(&restore->gauges->target, high);
	return 1;
}

static int ask_targets(struct restorer *restorer) {
	for (struct restore *restore = restorer->restores; restore; restore = restore->next) {
		int r = restore->target < 0 ? ask_target(restorer, restore) : 1;

		if (r <= 0)
			return r;
	}
	return 1;
}

static int ask_leaders(struct restorer *restorer) {
	rd_kafka_resp_err_t err = restore_clients_ask_leaders(&restorer->clients);

	if (err)
		log_no_answer(restorer, "ask for the leaders", err);
	return !err;
}

int restorer_ask(struct restorer *restorer) {
	int r;

	if (!backoff_is_over(&restorer->ask_backoff, clock_monotonic_ms()))
		return 0;
	r = ask_targets(restorer);
	if (r > 0)
		r = ask_leaders(restorer);
	if (r == 0)
		backoff_fail(&restorer->ask_backoff, clock_monotonic_ms(), PAUSE_MIN_MS,
			     PAUSE_MAX_MS);
	else
		backoff_clear(&restorer->ask_backoff);
	return r;
}
