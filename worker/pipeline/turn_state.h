/*
 * The memory of turns, and of the one that is open. Only for turn*.c, each of which has one part of
 * a turn:
 *
 *     turn_take ──► turn_handle ──► turn_write ──► turn_commit
 *
 * Two arenas: the turn's has what lasts until after the commit and is small; `scratch` has what one
 * command, or one of the others, needs until it is written, and is emptied after each.
 *
 * A part's int is 0, TRANSACTION_E_FAILED, or a negative errno of the replica.
 */
#pragma once

#include "base/backoff.h"
#include "base/buffer.h"
#include "delivery/job_list.h"
#include "domain/endpoint_report.h"
#include "domain/event_publishing.h"
#include "domain/handler.h"
#include "domain/issuance.h"
#include "domain/outcome.h"
#include "pipeline/dead_letter.h"
#include "pipeline/handler_keys.h"
#include "pipeline/intake.h"
#include "pipeline/pace.h"
#include "pipeline/reroute.h"
#include "pipeline/turn_budget.h"
#include "pipeline/turn_changes.h"
#include "pipeline/turn_settings.h"
#include "pipeline/turn_trace.h"
#include "rdkafka/transaction.h"

/* What lasts from turn to turn. */
struct turns {
	struct turns_settings settings;
	struct intake intake;
	struct handler_settings handler_settings;
	struct handler_keys handler_keys;
	struct outcome_settings outcome_settings;

	struct job_list outcomes; /* of attempts that ended, not yet committed */
	struct pace pace;
	bool is_put_off; /* the next turn, when it was last asked for */
	struct turn_budget budget;
	struct letter_limit letter_limit;
	struct reroute reroute;
	int64_t catalogue_hash;    /* of event.types */
	unsigned registry_answers; /* of the schema registry, as last seen */
	struct backoff undone;     /* since the last turn that was committed */
	int64_t expiry_at_ms;      /* monotonic: when to look for what expired next */
	int32_t expiry_partition;  /* and where to begin */
	int64_t held_up_until_ms;  /* monotonic: by the brokers' quota */

	struct arena *arena, *scratch;
	struct buffer record; /* the record that is being encoded */
};

/* One turn, from its begin to its end. */
struct turn {
	struct turns *turns;
	struct replica *replica;
	struct transaction *transaction;
	enum group_edition edition; /* that it may write */
	int64_t begun_ms;           /* monotonic: when the handling began */
	int64_t commit_us;          /* how long the commit took */
	size_t taken;               /* bytes that the brokers have */
	bool is_throttled;          /* they report it */
	size_t commands, letters;
	struct { /* the last of these commands */
		struct partition *partition;
		enum input input;
		int64_t offset;
	} last;

	struct turn_changes changes; /* of which the dispatcher is told after the commit */
	struct turn_trace trace;

	uint64_t command_counts[METRIC_INPUT_COUNT][METRIC_COMMAND_COUNT];
	uint64_t rerouted[METRIC_INPUT_COUNT];
	uint64_t delivery_counts[METRIC_DELIVERY_COUNT];
	uint64_t webhooks_disabled;
	uint64_t filtered;
	uint64_t told[EVENT_TYPE_BUILTIN_COUNT], left_out[EVENT_TYPE_BUILTIN_COUNT]; /* notices */
	uint64_t refused_by_limit[TENANT_LIMIT_COUNT];
};
