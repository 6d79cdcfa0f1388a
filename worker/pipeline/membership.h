/*
 * This worker's place in the consumer group, and the one consumer that has it.
 *
 * Within librdkafka's callbacks nothing is done: what the group tells is kept as news, in its
 * order, and followed by the loop between turns.
 *
 *                       membership_poll                 ┌ ASSIGNED ─► membership_accept ─► ...
 *     librdkafka ──────────────────────► news ──► loop ─┤                 membership_read
 *                  rebalance callback,                  ├ REVOKED ──► membership_leave
 *                  errors of the consumer               ├ EXPIRED ──► membership_close, _open
 *                                                       └ ...
 *
 * An assignment is accepted with none of its partitions to read; each is read, with an explicit
 * offset, once it is restored. So nothing that is read is ever paused, resumed or sought:
 * librdkafka 2.0.2 has faults in those.
 *
 * The pipeline's thread only.
 */
#pragma once

#include "base/config.h"
#include "delivery/engine.h"
#include "domain/state.h"
#include "pipeline/membership_news.h"
#include "pipeline/metrics.h"
#include "rdkafka/client.h"
#include "rdkafka/group_watch.h"
#include "rdkafka/topics.h"

struct membership;

struct membership_settings { /* all borrowed */
	const struct config *config;
	const struct topics *topics;
	struct engine *engine; /* which the lease is given to */
	struct pipeline_metrics *metrics;
	struct group_watch *watch; /* told of each assignment; NULL: none */
	int wake_fd;               /* written to when there is something to take */
};

struct membership *membership_new(const struct membership_settings *settings);
void membership_free(struct membership *membership);
DEFINE_CLEANUP(struct membership, membership_free)

/* Makes the consumer, which asks nothing of the group yet. Returns 0, or -EPERM (logged). */
int membership_open(struct membership *membership) _must_check_;
/* Joins the group: news come from now on. Returns 0, or -EPERM (logged). */
int membership_join(struct membership *membership) _must_check_;
/*
 * Frees the consumer with all that it told. Under the same worker.id the next one is the same
 * member, with a new assignment.
 */
void membership_close(struct membership *membership);
/* NULL: it is closed. To ask the brokers something. */
rd_kafka_t *membership_client(const struct membership *membership);

/* What the group tells. */

/* Asks librdkafka for news. Never waits. */
void membership_poll(struct membership *membership);
bool membership_has_news(const struct membership *membership);
/* The oldest news, which the caller frees; NULL: none. */
struct membership_news *membership_take_news(struct membership *membership);

/*
 * Accepts an assignment: its group metadata fences what is written from now on (R3). Returns 0, or
 * -EPROTO (logged) where the metadata has no generation.
 */
int membership_accept(struct membership *membership) _must_check_;
/* Gives everything away, and forgets the group metadata. */
void membership_leave(struct membership *membership);
/* Whether others have what is to be given away already. */
bool membership_is_lost(const struct membership *membership);

/* Of the accepted assignment; NULL: none, and then nothing may be written. */
const rd_kafka_consumer_group_metadata_t *membership_group(const struct membership *membership);
int32_t membership_generation(const struct membership *membership);
/* The group no longer knows this member: nothing is written until it does again. */
void membership_drop_group(struct membership *membership);

/* Reading. */

/* From where an input goes on. */
struct membership_read {
	const char *topic;
	int32_t partition;
	int64_t offset;
};

/* Looks whether an input that was refused may be read again, and whether one that gives no answer
 * is refused: about once a second. */
void membership_watch(struct membership *membership);

/*
 * Reads these and nothing else, from there; nothing at all while no assignment is accepted. What
 * was told of lost inputs is forgotten: each is told again. Returns 0, or -EIO (logged).
 */
int membership_read(struct membership *membership, const struct membership_read *reads,
		    size_t count) _must_check_;
/*
 * The next record, or NULL when none is at hand, or when there are news that must be followed
 * first; never waits. The caller destroys it.
 */
rd_kafka_message_t *membership_next(struct membership *membership);
/* The record that was taken last comes next once more. Takes it. */
void membership_put_back(struct membership *membership, rd_kafka_message_t *message);
/* The record that was taken last waits for membership_release, and its partition with it. Takes
 * it. */
void membership_hold(struct membership *membership, rd_kafka_message_t *message);
void membership_release(struct membership *membership);
/* The next record is of another partition than the last, if another has any. */
void membership_turn_over(struct membership *membership);
/* The end of an input's partition as the consumer knows it; -1: not known. */
int64_t membership_input_end(const struct membership *membership, const char *topic,
			     int32_t partition);
