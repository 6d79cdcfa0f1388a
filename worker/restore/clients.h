/*
 * A restore's clients of librdkafka: one reads the changelog (read_committed), the other is told
 * the true high watermarks (read_uncommitted). They exist while something is restored.
 */
#pragma once

#include "rdkafka/client.h"
#include "restore/restore.h"

struct restore_clients {
	const struct config *config; /* borrowed */
	const char *topic_name;      /* borrowed; the changelog */
	int wake_fd;                 /* an eventfd that is written to when records come */

	rd_kafka_t *reader, *watermark; /* NULL: closed */
	rd_kafka_queue_t *queue;        /* of the reader */
	rd_kafka_topic_t *topic;        /* of the reader */
	bool knows_leaders;
	int64_t nudge_at_ms; /* monotonic */
	int32_t nudged_partition;
};

/* Returns 0, also when they are open; or -EPERM (logged). */
int restore_clients_open(struct restore_clients *clients) _must_check_;
void restore_clients_close(struct restore_clients *clients);

/* The first offset of the partition and its high watermark. Waits for at most two seconds. */
rd_kafka_resp_err_t restore_clients_ask_end(struct restore_clients *clients, int32_t partition,
					    int64_t *low, int64_t *high) _must_check_;
/* Asks for the leaders of the changelog, once. A partition that is assigned before its leader is
 * known waits for a timer of one second. Waits for at most two seconds. */
rd_kafka_resp_err_t restore_clients_ask_leaders(struct restore_clients *clients) _must_check_;

/* Has the partitions read that are not read to their end, from their next offsets on. */
void restore_clients_assign(struct restore_clients *clients, const struct restore *restores);

/*
 * The partition to nudge after partition `last`, in turns; -1: none needs it, or the turns begin
 * again. A restore that is read to its end, or waits for an open transaction, has nothing to fetch.
 */
int32_t restore_clients_next_nudge(const struct restore *restores, int32_t last);
/*
 * Keeps the reader fetching. librdkafka 2.0.2 stops while its queue is full, and looks at the queue
 * again after a second, or when the broker's thread wakes for another reason. Any request wakes it;
 * the answer is of no use, and is waited for no longer than a step may take. One partition at a
 * time, because each may have another broker. Source: librdkafka, issue 2879.
 */
void restore_clients_nudge(struct restore_clients *clients, const struct restore *restores,
			   int64_t now_ms);
