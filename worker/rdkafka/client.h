/* The worker's Kafka clients. Their settings, and those of them that the operator decides, are in
 * rdkafka/settings.h. */
#pragma once

#include "rdkafka/settings.h"

#include <librdkafka/rdkafka.h>

/* A callback that a client does not need is NULL. */
struct client_callbacks {
	void *opaque;
	void (*rebalance)(rd_kafka_t *, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t *,
			  void *opaque);
	void (*produce_report)(rd_kafka_t *, const rd_kafka_message_t *, void *opaque);
	/* A broker answered a request of this kind (Kafka's ApiKey) that was sent `rtt_us` ago.
	 * Called once for an answer, by librdkafka's thread of that broker. */
	void (*answered)(int16_t api_key, int64_t rtt_us, void *opaque);
};

/* Borrows the callbacks for the client's life; NULL: none. The caller owns the client. Returns
 * NULL, logged, when librdkafka refuses the configuration or cannot make one. */
rd_kafka_t *client_new(const struct config *config, enum client_kind kind,
		       const struct client_callbacks *callbacks);
/*
 * Frees the client; no callback is called any more. A member falls silent. It is static, so it does
 * not leave its group: its partitions wait for it for session.timeout.ms. rd_kafka_consumer_close()
 * would change nothing for the group, and it hangs when the session ends at the same moment: the
 * rd_kafka_assign() of its rebalance callback is never answered.
 */
void client_free(rd_kafka_t *client);
DEFINE_CLEANUP(rd_kafka_t, client_free)

/*
 * Whether the member's own session timeout passed since the last call. librdkafka 2.0.2 reports it
 * in its log alone; the process has one member. Any thread.
 */
bool client_take_session_timeout(void);

/* Whether a broker refused the login of any client of the process, or a handshake failed, since the
 * last call. It is logged. Any thread. */
bool client_take_refused_login(void);

/*
 * Whether the brokers refused records of this topic (NULL: of any) to a transaction, since it was
 * forgotten. librdkafka names the topic in its log alone; the process has one producer of
 * transactions. Any thread.
 */
bool client_has_refused_topic(const char *name);
void client_forget_refused_topic(void);

/* The member's configured session timeout. */
int client_session_timeout_ms(rd_kafka_t *client);

/*
 * The generation in a group's metadata. librdkafka 2.0.2 has no accessor for it; the metadata's
 * serialised form has it. Returns 0, or -EPROTO for metadata without one or with one below 0, which
 * fences nobody (R3).
 */
int client_read_generation(const rd_kafka_consumer_group_metadata_t *group,
			   int32_t *generation) _must_check_;

/* Writes to `fd`, an eventfd, whenever the queue stops being empty. */
void client_wake_by(rd_kafka_queue_t *queue, int fd);
