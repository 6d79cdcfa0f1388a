#include "pipeline/input_refusals.h"

#include "base/clock.h"
#include "pipeline/input_topics.h"
#include "rdkafka/refusal.h"

/* An answer to a fetch takes half a second at most, unless a broker is not there. */
enum { SILENCE_MS = 10 * 1000 };

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

/* Whether it is silent for so long that it has to be asked about. */
static bool is_in_doubt(struct input_refusals *refusals, int input, bool silent) {
	int64_t *since_ms = &refusals->silent_since_ms[input], now_ms = clock_monotonic_ms();

	if (!silent)
		*since_ms = 0;
	else if (*since_ms == 0)
		*since_ms = now_ms;
	return silent && now_ms - *since_ms >= SILENCE_MS;
}

static void look_into(struct input_refusals *refusals, int input, const struct config *config,
		      const struct topics *topics, struct pipeline_metrics *metrics) {
	const char *name = name_of(topics, input);
	rd_kafka_resp_err_t err = read_probe_ask(&refusals->probes[input], config, name);

	if (!err) {
		refusals->is_refused[input] = false;
		refusals->silent_since_ms[input] = 0;
	} else if (err != RD_KAFKA_RESP_ERR__IN_PROGRESS && !refusals->is_refused[input]) {
		(void)refusal_log(err, "Read", "topic", name);
		metric_refuse(metrics, METRIC_REFUSED_INPUT, true);
		refusals->is_refused[input] = true;
	}
}

void input_refusals_watch(struct input_refusals *refusals, const struct config *config,
			  const struct topics *topics, struct pipeline_metrics *metrics,
			  const bool silent[static POSITION_INPUTS]) {
	bool were_there = input_refusals_are_there(refusals);

	for (int i = 0; i < POSITION_INPUTS; i++) {
		bool is_in_question = is_in_doubt(refusals, i, silent[i]);

		if (is_in_question || refusals->is_refused[i])
			look_into(refusals, i, config, topics, metrics);
		else
			read_probe_stop(&refusals->probes[i]);
	}
	if (were_there && !input_refusals_are_there(refusals))
		metric_refuse(metrics, METRIC_REFUSED_INPUT, false);
}
