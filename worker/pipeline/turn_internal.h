/*
 * The parts of a turn: taking what there is to do, handling it, and writing what it comes to into
 * the open transaction. Only for turn*.c.
 *
 * Two arenas: the turn's has what lasts until after the commit and is small; `scratch` has what one
 * command, or one of the others, needs until it is written, and is emptied after each.
 *
 * Below, an int is 0, TRANSACTION_E_FAILED, or a negative errno of the replica.
 */
#pragma once

#include "base/backoff.h"
#include "base/buffer.h"
#include "delivery/job_list.h"
#include "domain/endpoint_report.h"
#include "domain/handler.h"
#include "domain/issuance.h"
#include "domain/outcome.h"
#include "pipeline/dead_letter.h"
#include "pipeline/intake.h"
#include "pipeline/pace.h"
#include "pipeline/turn.h"
#include "pipeline/turn_budget.h"
#include "pipeline/turn_changes.h"

/* What lasts from turn to turn. */
struct turns {
	struct turns_settings settings;
	struct intake intake;
	struct handler_settings handler_settings;
	struct outcome_settings outcome_settings;

	struct job_list outcomes; /* of attempts that ended, not yet committed */
	struct pace pace;
	struct turn_budget budget;
	struct letter_limit letter_limit;
	struct backoff undone;    /* since the last turn that was committed */
	int64_t expiry_at_ms;     /* monotonic: when to look for what expired next */
	int32_t expiry_partition; /* and where to begin */

	struct arena *arena, *scratch;
	struct buffer record; /* the record that is being encoded */
};

/* One turn, from its begin to its end. */
struct turn {
	struct turns *turns;
	struct replica *replica;
	struct transaction *transaction;
	int64_t begun_ms;  /* monotonic: when the handling began */
	int64_t commit_us; /* how long the commit took */
	size_t commands, letters;
	struct { /* the last of these commands */
		struct partition *partition;
		enum input input;
		int64_t offset;
	} last;

	struct turn_changes changes; /* of which the dispatcher is told after the commit */

	uint64_t command_counts[METRIC_INPUT_COUNT][METRIC_COMMAND_COUNT];
	uint64_t delivery_counts[METRIC_DELIVERY_COUNT];
	uint64_t webhooks_disabled;
	uint64_t refused_by_limit[TENANT_LIMIT_COUNT];
};

/* turn_take.c */

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

/* Gathers it, with the first command where `with_commands`. Returns 0 or a negative errno. */
int turn_take(struct turn *turn, struct work *work, bool with_commands) _must_check_;
bool turn_is_idle(const struct work *work);
/* The next command, or NULL when there is none at hand. The caller destroys it. */
rd_kafka_message_t *turn_next_command(struct turn *turn);

/* turn_handle.c */

/* Handles and writes all of it, and commands as far as the turn's budget allows. */
int turn_handle(struct turn *turn, struct work *work) _must_check_;

/* turn_write.c */

/* Writes what handling something in `partition` came to. Empties the scratch. */
int turn_write_effects(struct turn *turn, struct partition *partition,
		       const struct effects *effects) _must_check_;
/* Closes every touched partition with its position record (R8). */
int turn_write_positions(struct turn *turn) _must_check_;
/*
 * The offsets of every touched partition, with the position that they belong to as metadata (R2).
 * The caller destroys the list.
 */
rd_kafka_topic_partition_list_t *turn_offsets(const struct turn *turn);
