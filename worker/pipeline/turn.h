/*
 * The parts of a turn: taking what there is to do, and writing what it comes to into the open transaction. Only for this folder.
 */
#pragma once

#include "pipeline/context.h"

/* Bytes of a dead letter's value: as topics create makes its topic, and what a topic with Kafka's defaults takes. */
enum { DEAD_LETTER_MAX = 8 * 1024 * 1024, DEAD_LETTER_MAX_CUT = 512 * 1024 };

enum { TURN_E_ABORTED = TRANSACTION_E_ABORTED, TURN_E_UNKNOWN = TRANSACTION_E_UNKNOWN };

/* A change that matters after the commit. */
struct committed_change {
	struct partition *partition;
	const struct change *change;
};

/* What an open turn has gathered. Lives in the turn's arena. */
struct turn {
	struct committed_change *changes;
	size_t change_count, change_capacity;
	uint64_t commands[METRIC_INPUT_COUNT][METRIC_COMMAND_COUNT];
	uint64_t deliveries[METRIC_DELIVERY_COUNT];
	uint64_t webhooks_disabled;
};

/* turn_take.c */

/* Everything that a turn may do, gathered before a transaction is opened: it opens only when there is something to write. */
struct work {
	struct job *outcomes;
	struct withdrawal *withdrawals;
	size_t withdrawal_count;
	struct dispatch_report *reports;
	size_t report_count;
	struct expired {
		struct partition *partition;
		struct state_key *keys;
		size_t count;
	} *expired;
	size_t expired_count;
};

/* Gathers it. `with_messages`: commands too, into the pipeline's array. Returns 0 or a negative errno of the replica. */
int turn_take(struct pipeline *p, struct work *work, bool with_messages) _must_check_;
bool turn_is_idle(const struct pipeline *p, const struct work *work);
void turn_drop_messages(struct pipeline *p);
/* An outcome that waits for a later turn. Takes the job. */
void turn_keep_outcome(struct pipeline *p, struct job *job);

/* turn_write.c */

/* Below: 0, TURN_E_ABORTED, TURN_E_UNKNOWN, or a negative errno of the replica. */

/* Writes what handling something in `partition` came to. */
int turn_write_effects(struct pipeline *p, struct turn *turn, struct partition *partition, const struct effects *effects) _must_check_;
/* Closes every touched partition with its position record (R8). */
int turn_write_positions(struct pipeline *p) _must_check_;
/*
 * A record that cannot be processed, as it came, with the reason in its headers. A value that its topic does not take is cut, and its full size
 * is in the header posthorn.error.truncated: one record must not stop the worker.
 */
int turn_write_dead_letter(struct pipeline *p, const rd_kafka_message_t *message, const char *reason) _must_check_;
/* The offsets of every touched partition, with the position that they belong to as metadata (R2). The caller destroys the list. */
rd_kafka_topic_partition_list_t *turn_offsets(const struct pipeline *p);
/* "<store id>/<sequence>" of a position, as it is kept with committed offsets. */
void turn_offset_metadata(const struct position *position, char out[64]);
