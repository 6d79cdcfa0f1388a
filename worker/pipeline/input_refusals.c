#include "pipeline/input_refusals.h"

#include "base/clock.h"
#include "pipeline/partition.h"
#include "rdkafka/read_probe.h"

enum { PAUSE_MIN_MS = 1000, PAUSE_MAX_MS = 10 * 1000 };

static const char *name_of(const struct topics *topics, int input) {
	return input == INPUT_ADMIN ? topics->admin : topics->issuance;
}

bool input_refusals_are_there(const struct input_refusals *refusals) {
	return refusals->is_refused[INPUT_ADMIN] || refusals->is_refused[INPUT_ISSUANCE];
}

void input_refusals_note(struct input_refusals *refusals, const struct topics *topics,
			 const char *topic) {
	if (!input_refusals_are_there(refusals))
		backoff_fail(&refusals->backoff, clock_monotonic_ms(), PAUSE_MIN_MS, PAUSE_MAX_MS);
	for (int i = 0; i < POSITION_INPUTS; i++)
		refusals->is_refused[i] |= strcmp(name_of(topics, i), topic) == 0;
}

void input_refusals_watch(struct input_refusals *refusals, const struct config *config,
			  const struct topics *topics, struct pipeline_metrics *metrics) {
	if (!input_refusals_are_there(refusals) ||
	    !backoff_is_over(&refusals->backoff, clock_monotonic_ms()))
		return;
	for (int i = 0; i < POSITION_INPUTS; i++)
		if (refusals->is_refused[i])
			refusals->is_refused[i] = !read_probe_may_read(config, name_of(topics, i));
	if (input_refusals_are_there(refusals)) {
		backoff_fail(&refusals->backoff, clock_monotonic_ms(), PAUSE_MIN_MS, PAUSE_MAX_MS);
		return;
	}
	backoff_clear(&refusals->backoff);
	metric_refuse(metrics, METRIC_REFUSED_INPUT, false);
}
