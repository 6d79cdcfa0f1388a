#include "pipeline/turn_heed.h"

#include "base/clock.h"
#include "base/log.h"

/*
 * A record that its topic does not take must not stop the worker. Batches have shrunk until the
 * command that made it is alone: it becomes a dead letter. Where the letter is too large, less of
 * the original is kept.
 */
static void heed_too_large(struct turn *turn, const struct transaction_end *ended) {
	struct turns *t = turn->turns;

	if (!ended->has_large_letter && !ended->has_large_record)
		return;
	if (turn->commands == 1 && ended->has_large_record)
		turn->last.partition->poison[turn->last.input] = turn->last.offset;
	if (turn->commands == 1 && ended->has_large_letter)
		letter_limit_refused(&t->letter_limit, clock_monotonic_ms());
	log_error("a record is too large for its topic: raise max.message.bytes",
		  "is_dead_letter=%d commands_in_turn=%zu dead_letters_keep=%zu",
		  ended->has_large_letter, turn->commands, t->letter_limit.bytes);
}

/*
 * A dead letter that may not be written must stop no more than its partition: that one is held
 * until it may. As above, batches shrink until its record is alone.
 */
static void heed_refusal(struct turn *turn, const struct transaction_end *ended) {
	struct pipeline_metrics *metrics = turn->turns->settings.metrics;
	bool has_refused_letter = ended->may_not_write[TOPIC_DEAD_LETTERS];

	metric_refuse(metrics, METRIC_REFUSED_OUTPUT,
		      has_refused_letter || ended->may_not_write[TOPIC_STATE] ||
			  ended->may_not_write[TOPIC_RESULTS]);
	if (!has_refused_letter)
		return;
	metric_refuse(metrics, METRIC_REFUSED_DEAD_LETTERS, true);
	if (turn->commands == 1 && turn->letters == 1)
		turn->last.partition->is_held = true;
}

void turn_heed(struct turn *turn, const struct transaction_end *ended) {
	heed_too_large(turn, ended);
	heed_refusal(turn, ended);
	reroute_heed(&turn->turns->reroute, ended, clock_monotonic_ms());
}
