/* What the parts of the pipeline share. Only for this folder. */
#pragma once

#include "avro/codec.h"
#include "base/backoff.h"
#include "dispatch/dispatcher.h"
#include "domain/handler.h"
#include "domain/issuance.h"
#include "domain/outcome.h"
#include "pipeline/dead_letter.h"
#include "pipeline/inputs.h"
#include "pipeline/intake.h"
#include "pipeline/lease.h"
#include "pipeline/metrics.h"
#include "pipeline/partition.h"
#include "pipeline/pipeline.h"
#include "pipeline/restore.h"
#include "pipeline/turn_budget.h"
#include "rdkafka/client.h"
#include "rdkafka/topics.h"
#include "rdkafka/transaction.h"
#include "replica/replica.h"

#include <stdatomic.h>

/* How the pipeline keeps step with the delivery threads. Monotonic. */
struct pace {
	int64_t asked_us,
	    took_us; /* when it was looked how busy they are; when commands were last taken */
	uint64_t worked_us; /* how long they had worked by then */
	bool is_busy;
};

struct pipeline {
	const struct config *config;
	const struct master_keys *master_keys;
	struct engine *engine;
	struct handler_settings handler_settings;
	struct outcome_settings outcome_settings;

	struct topics topics;
	char *cluster_id; /* owned by librdkafka's allocator */
	int32_t partition_count;
	struct partition *partitions; /* owned; [partition_count] */
	uint32_t last_epoch;

	struct client_callbacks consumer_callbacks;
	rd_kafka_t *consumer;
	rd_kafka_queue_t *consumer_queue;
	struct inputs *inputs; /* of what is assigned to the consumer */
	bool consumer_lost;    /* it is of no use any more, and is made anew */
	bool input_stale; /* the consumer's assignment does not say which partitions are active, or
			     from where */
	atomic_bool group_joined;
	struct lease lease; /* of the thread of librdkafka that talks to the coordinator, while
			       there is a consumer */
	rd_kafka_consumer_group_metadata_t *group; /* of this assignment (R3); NULL without one */
	int32_t generation;

	struct transaction *transaction;
	struct codec *codec;
	struct intake intake;
	struct replica *replica; /* NULL while its file cannot be made */
	struct restorer *restorer;
	struct dispatcher *dispatcher;
	struct tenant_pending *tenant_pending;

	struct pace pace;
	struct job *outcomes, **outcomes_end; /* attempts that ended, not yet committed */
	struct turn_budget budget;
	struct letter_limit letter_limit;
	int64_t expiry_at_ms;     /* monotonic: when to look for what expired next */
	int32_t expiry_partition; /* and where to begin */

	struct arena *arena;   /* of the turn */
	struct arena *scratch; /* of what is being handled in it */
	struct buffer record;  /* the record being encoded */
	struct pipeline_metrics metrics;
	int wake_fd;
	atomic_bool stopping; /* set by a signal handler, on whichever thread the signal came to */
	int fatal;            /* PIPELINE_E_*: the loop ends */
	int replica_error;    /* a negative errno: the replica is made anew before anything else */
	struct backoff undone_backoff; /* of turns, since the last that was committed */
	struct backoff topics_backoff, replica_backoff, transaction_backoff,
	    offsets_backoff;         /* of what is tried again until it works */
	int64_t login_refused_at_ms; /* monotonic */
};

/* Whether the replica may be read and written: it did not fail, and a restore has not lent it to
 * its own thread. */
static inline bool pipeline_has_replica(const struct pipeline *p) {
	return p->replica && !p->replica_error && !restorer_has_replica(p->restorer);
}

/* assignment.c */

/* librdkafka's rebalance callback (R3, R5, R6). */
void assignment_rebalance(rd_kafka_t *consumer, rd_kafka_resp_err_t err,
			  rd_kafka_topic_partition_list_t *list, void *pipeline);
/* client.h's callback: proof of membership keeps the lease (lease.h). */
void assignment_answered(int16_t api_key, int64_t rtt_us, void *pipeline);
/* restore.h's callback: the partition may become active. */
void assignment_restored(void *pipeline, struct partition *partition, enum restore_end end);
/* Partitions that are to be restored and are not yet being: after the replica or the producer was
 * made anew. */
void assignment_begin_restores(struct pipeline *p);
/*
 * A partition that is restored becomes active, as soon as it is known where its inputs go on. One
 * at a time: its backlog is walked. Returns whether there was one, and may be another.
 */
bool assignment_activate_restored(struct pipeline *p);
/* Tells the consumer which partitions to read, and from where: those that are active, from the last
 * commit. */
void assignment_apply(struct pipeline *p);
/* All active partitions are restored again, because what the brokers hold is not known. */
void assignment_resync(struct pipeline *p);
/* The offset of an input is not there: its retention ran past us, or it was cut. Remembered, so
 * that the turn in hand ends first. */
void assignment_offset_lost(struct pipeline *p, const char *topic, int32_t partition_id);
/* Goes on from the first record there is, or the end, loudly. */
void assignment_skip_lost(struct pipeline *p);
/* No attempt begins from now on. */
void assignment_close_gates(struct pipeline *p);
/* Nothing is ours any more, until the next assignment. */
void assignment_lose(struct pipeline *p);
/* The group no longer knows us: nothing is written until it does again. */
void assignment_drop_group(struct pipeline *p);

/* turn.c */

/* Takes, handles, commits, dispatches. Returns whether it did something and there may be more. */
bool turn_run(struct pipeline *p);
/* The same without taking commands: what is done, before partitions are given away. */
void turn_run_outcomes(struct pipeline *p);
/* What the consumer has to tell besides records is served: rebalances, failures. Not inside a turn.
 */
void turn_poll_events(struct pipeline *p);
