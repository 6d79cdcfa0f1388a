/* Taking: all that a turn is to do. */
#pragma once

#include "pipeline/turn_state.h"

/*
 * What there is to do, gathered before a transaction is opened: it opens only when there is
 * something to write.
 */
struct work {
	struct job_list outcomes;
	struct job_list later_outcomes; /* for which the turn had no room */
	struct dispatch_cancellation *cancellations;
	size_t cancellation_count;
	struct dispatch_report *reports;
	size_t report_count;
	struct expired {
		struct partition *partition;
		struct state_key *keys;
		size_t count;
	} *expired;
	size_t expired_count;
	rd_kafka_message_t *command; /* the first; the others are taken one by one. NULL: none */
};

/* Whether what there is to do waits for more (pace.h). What is to be withdrawn does not wait. */
bool turn_is_put_off(struct turns *turns);
/* Gathers it, with the first command where `with_commands`. Returns 0 or a negative errno. */
int turn_take(struct turn *turn, struct work *work, bool with_commands) _must_check_;
bool turn_is_idle(const struct work *work);
/* The next command, or NULL when there is none at hand. The caller destroys it. */
rd_kafka_message_t *turn_next_command(struct turn *turn);
