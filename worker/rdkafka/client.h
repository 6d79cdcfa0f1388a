/*
 * The worker's Kafka clients. What they are set to, and what of it is the operator's:
 * rdkafka/settings.h.
 */
#pragma once

#include "rdkafka/settings.h"

#include <librdkafka/rdkafka.h>

/* What does not concern a client is NULL. */
struct client_callbacks {
	void *opaque;
	void (*rebalance)(rd_kafka_t *, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t *,
			  void *opaque);
	void (*produce_report)(rd_kafka_t *, const rd_kafka_message_t *, void *opaque);
	/* A broker answered a request of this kind (Kafka's ApiKey), sent `rtt_us` ago. Once an
	 * answer, from librdkafka's thread of that broker. */
	void (*answered)(int16_t api_key, int64_t rtt_us, void *opaque);
};

/* Borrows the callbacks for the client's life; NULL: none. Returns NULL after logging why
 * librdkafka made none. */
rd_kafka_t *client_new(const struct config *config, enum client_kind kind,
		       const struct client_callbacks *callbacks);
/*
 * No callback is called any more. A member just falls silent: it is static, so it does not leave
 * its group, and its partitions wait for it to come back for session.timeout.ms.
 * (rd_kafka_consumer_close() would tell nobody more, and waits for ever where the session ends at
 * the same moment: its rebalance callback's rd_kafka_assign() is never answered.)
 */
void client_free(rd_kafka_t *client);
DEFINE_CLEANUP(rd_kafka_t, client_free)

/*
 * Whether the member's own session timeout passed since the last call. librdkafka 2.0.2 tells of it
 * in its log and nowhere else; the process has one member. Any thread.
 */
bool client_take_session_timeout(void);

/* Whether a broker refused the login, or the handshake failed, since the last call: it is logged.
 * Any client of the process; any thread. */
bool client_take_refused_login(void);

/* The member's session timeout, as it was configured. */
int client_session_timeout_ms(rd_kafka_t *client);

/* Has `fd` (an eventfd) written to whenever the queue stops being empty. */
void client_wake_by(rd_kafka_queue_t *queue, int fd);
