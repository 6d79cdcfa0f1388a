#include "pipeline/input_refusals.h"

#include "pipeline/input_topics.h"

void input_refusals_close(struct input_refusals *refusals) {
	for (int i = 0; i < POSITION_INPUTS; i++)
		read_probe_stop(&refusals->probes[i]);
}

static const char *name_of(const struct topics *topics, int input) {
	return input_topic_name(topics, (enum input)input);
}

bool input_refusals_are_there(const struct input_refusals *refusals) {
	for (int i = 0; i < POSITION_INPUTS; i++)
		if (refusals->is_refused[i])
			return true;
	return false;
}

void input_refusals_note(struct input_refusals *refusals, const struct topics *topics,
			 const char *topic) {
	for (int i = 0; i < POSITION_INPUTS; i++) {
		if (refusals->is_refused[i] || strcmp(name_of(topics, i), topic) != 0)
			continue;
		refusals->is_refused[i] = true;
		read_probe_refuse(&refusals->probes[i]);
	}
}

void input_refusals_watch(struct input_refusals *refusals, const struct config *config,
			  const struct topics *topics, struct pipeline_metrics *metrics) {
	if (!input_refusals_are_there(refusals))
		return;
	for (int i = 0; i < POSITION_INPUTS; i++)
		if (refusals->is_refused[i])
			refusals->is_refused[i] =
			    !read_probe_may_read(&refusals->probes[i], config, name_of(topics, i));
	if (!input_refusals_are_there(refusals))
		metric_refuse(metrics, METRIC_REFUSED_INPUT, false);
}
