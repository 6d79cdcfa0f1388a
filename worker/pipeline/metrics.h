/* What the pipeline counts. Written by the pipeline thread, read by any. */
#pragma once

#include "base/memory.h"
#include "dispatch/metrics.h"
#include "domain/event_type.h"
#include "domain/tenant_limit.h"
#include "registry/metrics.h"
#include "restore/metrics.h"

#include <stdatomic.h>
#include <stdint.h>

enum metric_input {
	METRIC_INPUT_ADMIN,
	METRIC_INPUT_ISSUANCE,
	METRIC_INPUT_EVENT,
	METRIC_INPUT_COUNT
};
enum metric_command {
	METRIC_COMMAND_SUCCESS,
	METRIC_COMMAND_FAIL,
	METRIC_COMMAND_REPEAT,
	METRIC_COMMAND_DEAD_LETTER,
	METRIC_COMMAND_COUNT
};
enum metric_delivery {
	METRIC_DELIVERY_RECORDED,
	METRIC_DELIVERY_SUCCEEDED,
	METRIC_DELIVERY_RETRIED,
	METRIC_DELIVERY_DEAD,
	METRIC_DELIVERY_WITHDRAWN,
	METRIC_DELIVERY_RESENT,
	METRIC_DELIVERY_DISCARDED, /* outcomes of an older assignment epoch */
	METRIC_DELIVERY_COUNT
};
enum metric_notice { METRIC_NOTICE_TOLD, METRIC_NOTICE_LEFT_OUT, METRIC_NOTICE_COUNT };
enum metric_transaction {
	METRIC_TRANSACTION_COMMITTED,
	METRIC_TRANSACTION_ABORTED,
	METRIC_TRANSACTION_UNKNOWN,
	METRIC_TRANSACTION_COUNT
};

enum metric_refused {
	METRIC_REFUSED_INPUT = 1 << 0,
	METRIC_REFUSED_CHANGELOG = 1 << 1,
	METRIC_REFUSED_TRANSACTIONS = 1 << 2,
	METRIC_REFUSED_LOGIN = 1 << 3,
	METRIC_REFUSED_TOPICS = 1 << 4,       /* to be seen */
	METRIC_REFUSED_OUTPUT = 1 << 5,       /* in the last turn */
	METRIC_REFUSED_DEAD_LETTERS = 1 << 6, /* also where none is to be written yet */
};

enum { METRIC_TRANSACTION_BUCKETS = 10 };
extern const double metric_transaction_seconds[METRIC_TRANSACTION_BUCKETS];

struct partition_metrics {
	atomic_int state;                            /* enum partition_state */
	atomic_int_fast64_t lag[METRIC_INPUT_COUNT]; /* records not yet processed; -1: not known */
	struct restore_gauges restore;
	atomic_int_fast64_t pending; /* deliveries recorded and not ended */
};

struct pipeline_metrics {
	/* Of committed turns. */
	atomic_uint_fast64_t commands[METRIC_INPUT_COUNT][METRIC_COMMAND_COUNT];
	atomic_uint_fast64_t rerouted[METRIC_INPUT_COUNT]; /* handed on to their key's partition */
	atomic_uint_fast64_t deliveries[METRIC_DELIVERY_COUNT];
	atomic_uint_fast64_t notices[EVENT_TYPE_BUILTIN_COUNT][METRIC_NOTICE_COUNT];
	atomic_uint_fast64_t webhooks_disabled;                    /* by their endpoints */
	atomic_uint_fast64_t refused_by_limit[TENANT_LIMIT_COUNT]; /* commands */

	atomic_uint_fast64_t transactions[METRIC_TRANSACTION_COUNT];
	atomic_uint_fast64_t transaction_buckets[METRIC_TRANSACTION_BUCKETS + 1]; /* committed */
	atomic_uint_fast64_t transaction_us;                                      /* their sum */

	atomic_uint_fast64_t throttled_ms; /* by the brokers, as they reported it */
	atomic_uint_fast64_t turn_bytes;   /* that the next turn may write */

	/* Times that the next record to be read was not there, and records that were deleted before
	 * they were read. */
	atomic_uint_fast64_t inputs_lost[METRIC_INPUT_COUNT];
	atomic_uint_fast64_t records_lost[METRIC_INPUT_COUNT];
	atomic_int older_workers; /* of the group, which cannot read the newest edition; -1: not
				     known */
	atomic_uint_fast64_t catalogue_disagreements; /* partitions taken over from a worker with
							 other event.types */
	atomic_uint_fast64_t filtered;                /* deliveries that a filter left out */

	/* Partitions of inputs whose next record waits for the schema registry. */
	atomic_int inputs_held;

	struct dispatch_metrics dispatch;
	struct restore_metrics restore;
	struct registry_metrics registry;
	atomic_int_fast64_t restore_step_longest_ms; /* it kept turns waiting for so long */
	atomic_int_fast64_t loop_at_ms;              /* monotonic: of the loop's last round */

	atomic_int undone_in_a_row;  /* turns, since the last that was committed */
	atomic_int repairs_in_a_row; /* of one kind, in vain: the most of all kinds */
	atomic_uint refused;         /* enum metric_refused, without METRIC_REFUSED_CHANGELOG */

	atomic_int partition_count;           /* set last: until then there are none */
	struct partition_metrics *partitions; /* owned; [partition_count] */
};

void pipeline_metrics_init(struct pipeline_metrics *metrics, int32_t partition_count);
void pipeline_metrics_destroy(struct pipeline_metrics *metrics);

static inline void metric_refuse(struct pipeline_metrics *metrics, enum metric_refused what,
				 bool refused) {
	if (refused)
		atomic_fetch_or(&metrics->refused, (unsigned)what);
	else if (atomic_load_explicit(&metrics->refused, memory_order_relaxed))
		atomic_fetch_and(&metrics->refused, ~(unsigned)what);
}

/* enum metric_refused: what the brokers do not let the worker do. */
static inline unsigned metric_refusals(const struct pipeline_metrics *metrics) {
	return atomic_load(&metrics->refused) |
	       (atomic_load(&metrics->restore.is_refused) ? METRIC_REFUSED_CHANGELOG : 0);
}

static inline void metric_add(atomic_uint_fast64_t *counter, uint64_t n) {
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}
