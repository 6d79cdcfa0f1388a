/*
 * The parts of a turn: taking what there is to do, handling it, and writing what it comes to into
 * the open transaction. Only for this folder.
 *
 * Two arenas: the turn's has what lasts until after the commit and is small; `scratch` has what one
 * command, or one of the others, needs until it is written, and is emptied after each.
 */
#pragma once

#include "pipeline/context.h"

enum { TURN_E_ABORTED = TRANSACTION_E_ABORTED, TURN_E_UNKNOWN = TRANSACTION_E_UNKNOWN };

/* Handed to the dispatcher after the commit. */
struct committed_delivery {
	const struct partition *partition;
	struct delivery delivery;
	bool is_whole; /* its texts and its body are kept too; else NULL */
};

struct committed_webhook {
	struct uuid id;
	const struct webhook *webhook; /* NULL: deleted */
};

/* An open turn. What it points to lives in the turn's arena. */
struct turn {
	int64_t begun_ms;  /* monotonic */
	int64_t commit_us; /* how long it took */
	bool in_transaction, had_transaction;
	size_t commands, letters;
	struct { /* the last of these commands */
		struct partition *partition;
		enum input input;
		int64_t offset;
	} last;

	struct committed_delivery *deliveries;
	size_t delivery_count, delivery_capacity;
	size_t kept_bytes; /* of whole deliveries */
	struct committed_webhook *webhooks;
	size_t webhook_count, webhook_capacity;
	const char **key_tenants; /* whose signing keys changed */
	size_t key_tenant_count, key_tenant_capacity;

	uint64_t command_counts[METRIC_INPUT_COUNT][METRIC_COMMAND_COUNT];
	uint64_t delivery_counts[METRIC_DELIVERY_COUNT];
	uint64_t webhooks_disabled;
	uint64_t refused_by_limit[TENANT_LIMIT_COUNT];
};

/* turn_take.c */

/* What there is to do besides commands, gathered before a transaction is opened: it opens only when
 * there is something to write. */
struct work {
	struct job *outcomes;
	struct job *more_outcomes; /* for the next turn */
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
	rd_kafka_message_t
	    *command; /* the first; the others are taken one by one. NULL: there is none */
};

/* Gathers it, with the first command where `with_commands`. Returns 0 or a negative errno of the
 * replica. */
int turn_take(struct pipeline *p, struct work *work, bool with_commands) _must_check_;
bool turn_is_idle(const struct work *work);
/* The next command, or NULL when there is none at hand. The caller destroys it. */
rd_kafka_message_t *turn_next_command(struct pipeline *p);
/* Outcomes that wait for a later turn. Takes the jobs. */
void turn_keep_outcomes(struct pipeline *p, struct job *jobs);

/* Below: 0, TURN_E_ABORTED, TURN_E_UNKNOWN, or a negative errno of the replica. */

/* turn_handle.c */

/* Handles and writes all of it, and commands as far as the turn's budget allows. */
int turn_handle(struct pipeline *p, struct turn *turn, struct work *work) _must_check_;

/* turn_write.c */

/* Writes what handling something in `partition` came to. Empties the scratch. */
int turn_write_effects(struct pipeline *p, struct turn *turn, struct partition *partition,
		       const struct effects *effects) _must_check_;
/* Closes every touched partition with its position record (R8). */
int turn_write_positions(struct pipeline *p) _must_check_;
/* The offsets of every touched partition, with the position that they belong to as metadata (R2).
 * The caller destroys the list. */
rd_kafka_topic_partition_list_t *turn_offsets(const struct pipeline *p);
/* "<store id>/<sequence>" of a position, as it is kept with committed offsets. */
void turn_offset_metadata(const struct position *position, char out[64]);
