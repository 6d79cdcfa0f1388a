#include "pipeline/membership.h"

#include "base/clock.h"
#include "pipeline/input_refusals.h"
#include "pipeline/input_topics.h"
#include "pipeline/inputs.h"
#include "pipeline/lease.h"
#include "rdkafka/refusal.h"

#include <errno.h>
#include <inttypes.h>

struct membership {
	struct membership_settings settings;
	struct client_callbacks callbacks;
	rd_kafka_t *consumer;    /* NULL: closed */
	rd_kafka_queue_t *queue; /* of what it tells */
	struct inputs *inputs;   /* of what it reads */
	struct membership_news_list news;
	struct lease lease; /* of librdkafka's thread that talks to the coordinator */
	bool is_assigned;   /* between accept and leave */
	rd_kafka_consumer_group_metadata_t *group;
	int32_t generation;
	int32_t read[POSITION_INPUTS]; /* a partition of each input that is read; -1: none */
	struct input_refusals refusals;
};

/* News. */

static void tell(struct membership *m, enum membership_event event,
		 rd_kafka_topic_partition_list_t *partitions) {
	membership_news_add(&m->news, event, partitions);
}

bool membership_has_news(const struct membership *m) {
	return m->news.first;
}

struct membership_news *membership_take_news(struct membership *m) {
	return membership_news_take(&m->news);
}

/* librdkafka's rebalance callback. */
static void on_rebalance(rd_kafka_t *consumer _unused_, rd_kafka_resp_err_t err,
			 rd_kafka_topic_partition_list_t *list, void *opaque) {
	bool is_assigned = err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;

	if (!is_assigned && err != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
		log_warn("rebalance failed", "error=%s", log_quote(rd_kafka_err2str(err)));
	tell(opaque, is_assigned ? MEMBERSHIP_ASSIGNED : MEMBERSHIP_REVOKED,
	     rd_kafka_topic_partition_list_copy(list));
}

/*
 * Another worker with our id, or nobody at all: when the session times out in librdkafka 2.0.2, as
 * it does while a dead coordinator is replaced, it forgets its member id, and its next heartbeat,
 * without one, is refused as if from an older worker. Source: librdkafka, issue 3437.
 */
static void tell_fenced(struct membership *m) {
	const char *worker_id = m->settings.config->worker_id;

	if (client_take_session_timeout()) {
		log_warn("session timed out: joining the group again", "worker=%s", worker_id);
		tell(m, MEMBERSHIP_EXPIRED, NULL);
	} else {
		log_error("another worker with this worker.id took over: exiting", "worker=%s",
			  worker_id);
		tell(m, MEMBERSHIP_REPLACED, NULL);
	}
}

static void tell_fatal(struct membership *m) {
	char reason[512];

	if (rd_kafka_fatal_error(m->consumer, reason, sizeof(reason)) ==
	    RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
		tell_fenced(m);
		return;
	}
	log_error("consumer failed for good", "error=%s", log_quote(reason));
	tell(m, MEMBERSHIP_REFUSED, NULL);
}

/*
 * A topic that may not be read, or a group that does not take this member: it goes on once that is
 * mended, but for a session timeout, which only another configuration mends.
 */
static void tell_refused(struct membership *m, const rd_kafka_message_t *message) {
	const char *kind = message->rkt ? "topic" : "group";
	const char *name =
	    message->rkt ? rd_kafka_topic_name(message->rkt) : m->settings.config->group_id;

	if (!refusal_log(message->err, "Read", kind, name)) {
		log_warn("consumer", "error=%s", log_quote(rd_kafka_message_errstr(message)));
		return;
	}
	metric_refuse(m->settings.metrics, METRIC_REFUSED_INPUT, true);
	if (message->rkt)
		input_refusals_note(&m->refusals, m->settings.topics, name);
	if (message->err == RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT)
		tell(m, MEMBERSHIP_REFUSED, NULL);
}

static void tell_input_lost(struct membership *m, const rd_kafka_message_t *message) {
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

	rd_kafka_topic_partition_list_add(list, rd_kafka_topic_name(message->rkt),
					  message->partition);
	tell(m, MEMBERSHIP_INPUT_LOST, list);
}

static void tell_error(struct membership *m, const rd_kafka_message_t *message) {
	if (message->err == RD_KAFKA_RESP_ERR__FATAL)
		tell_fatal(m);
	else if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && message->rkt)
		tell_input_lost(m, message);
	else
		tell_refused(m, message);
}

void membership_poll(struct membership *m) {
	rd_kafka_message_t *message = rd_kafka_consumer_poll(m->consumer, 0);

	if (!message)
		return;
	if (message->err)
		tell_error(m, message);
	else
		tell(m, MEMBERSHIP_STRAY, NULL);
	rd_kafka_message_destroy(message);
}

/* The lease: proof of membership, from librdkafka's threads. */

static void on_answer(int16_t api_key, int64_t rtt_us, void *opaque) {
	/* Source: Kafka protocol guide, api keys. */
	enum { HEARTBEAT = 12, SYNC_GROUP = 14 };
	struct membership *m = opaque;
	enum lease_proof proof = api_key == SYNC_GROUP ? LEASE_SYNC : LEASE_HEARTBEAT;
	int64_t now_us = clock_monotonic_us(), lapsed_us;

	/* Other kinds come from the threads of other brokers; the lease is of the coordinator's
	 * alone. */
	if (api_key != HEARTBEAT && api_key != SYNC_GROUP)
		return;
	lapsed_us = m->lease.until_us;
	if (!lease_answered(&m->lease, proof, now_us - rtt_us, now_us))
		return;
	if (lapsed_us > 0 && lapsed_us <= now_us)
		log_warn("no proof of membership for a while: no attempt was begun meanwhile",
			 "ms=%" PRId64, (now_us - lapsed_us) / 1000);
	engine_lease_set(m->settings.engine, m->lease.until_us);
}

/* The consumer. */

static void close_inputs(struct membership *m) {
	inputs_close(m->inputs);
	for (int i = 0; i < POSITION_INPUTS; i++)
		m->read[i] = -1;
}

struct membership *membership_new(const struct membership_settings *settings) {
	struct membership *m = x_calloc(1, sizeof(*m));

	m->settings = *settings;
	m->inputs = inputs_new();
	close_inputs(m);
	return m;
}

int membership_open(struct membership *m) {
	m->callbacks = (struct client_callbacks){ .opaque = m,
						  .rebalance = on_rebalance,
						  .answered = on_answer };
	m->consumer = client_new(m->settings.config, CLIENT_GROUP, &m->callbacks);
	if (!m->consumer)
		return -EPERM;
	lease_init(&m->lease, (int64_t)client_session_timeout_ms(m->consumer) * 1000);
	m->queue = rd_kafka_queue_get_consumer(m->consumer);
	client_wake_by(m->queue, m->settings.wake_fd);
	if (m->settings.watch)
		group_watch_use(m->settings.watch, m->consumer);
	return 0;
}

int membership_join(struct membership *m) {
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(POSITION_INPUTS);
	rd_kafka_resp_err_t err;

	rd_kafka_topic_partition_list_add(list, m->settings.topics->admin, RD_KAFKA_PARTITION_UA);
	rd_kafka_topic_partition_list_add(list, m->settings.topics->issuance,
					  RD_KAFKA_PARTITION_UA);
	rd_kafka_topic_partition_list_add(list, m->settings.topics->events, RD_KAFKA_PARTITION_UA);
	err = rd_kafka_subscribe(m->consumer, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (!err)
		return 0;
	log_error("cannot subscribe", "error=%s", log_quote(rd_kafka_err2str(err)));
	return -EPERM;
}

void membership_close(struct membership *m) {
	membership_drop_group(m);
	m->is_assigned = false;
	close_inputs(m);
	membership_news_clear(&m->news);
	if (m->settings.watch)
		group_watch_use(m->settings.watch, NULL);
	if (m->queue)
		rd_kafka_queue_destroy(TAKE(m->queue));
	client_free(TAKE(m->consumer));
}

void membership_free(struct membership *m) {
	if (!m)
		return;
	membership_close(m);
	input_refusals_close(&m->refusals);
	inputs_free(m->inputs);
	free(m);
}

rd_kafka_t *membership_client(const struct membership *m) {
	return m->consumer;
}

/* An assignment. */

void membership_drop_group(struct membership *m) {
	if (m->group)
		rd_kafka_consumer_group_metadata_destroy(TAKE(m->group));
}

const rd_kafka_consumer_group_metadata_t *membership_group(const struct membership *m) {
	return m->group;
}

int32_t membership_generation(const struct membership *m) {
	return m->generation;
}

int membership_accept(struct membership *m) {
	int r = -EPROTO;

	close_inputs(m);
	membership_drop_group(m);
	m->group = rd_kafka_consumer_group_metadata(m->consumer);
	if (m->group)
		r = client_read_generation(m->group, &m->generation);
	if (r != 0) {
		log_error("group metadata is not usable", "worker=%s",
			  m->settings.config->worker_id);
		membership_drop_group(m);
	}
	(void)client_take_session_timeout(); /* overcome */
	inputs_assign_none(m->consumer);
	m->is_assigned = true;
	if (m->settings.watch)
		group_watch_ask(m->settings.watch);
	/* An input that may not be read is told of once, and not again by this assignment. */
	if (!input_refusals_are_there(&m->refusals))
		metric_refuse(m->settings.metrics, METRIC_REFUSED_INPUT, false);
	return r;
}

bool membership_is_lost(const struct membership *m) {
	return rd_kafka_assignment_lost(m->consumer);
}

void membership_leave(struct membership *m) {
	close_inputs(m);
	membership_drop_group(m);
	m->is_assigned = false;
	rd_kafka_assign(m->consumer, NULL);
}

/* Reading. */

int membership_read(struct membership *m, const struct membership_read *reads, size_t count) {
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_resp_err_t err;

	if (!m->is_assigned)
		return 0;
	list = rd_kafka_topic_partition_list_new((int)count);
	close_inputs(m);
	for (size_t i = 0; i < count; i++) {
		rd_kafka_topic_partition_list_add(list, reads[i].topic, reads[i].partition)
		    ->offset = reads[i].offset;
		m->read[input_of_topic(m->settings.topics, reads[i].topic)] = reads[i].partition;
	}
	membership_news_drop(&m->news, MEMBERSHIP_INPUT_LOST);
	err = inputs_assign(m->inputs, m->consumer, list, m->settings.wake_fd);
	rd_kafka_topic_partition_list_destroy(list);
	if (!err)
		return 0;
	log_error("cannot assign", "error=%s", log_quote(rd_kafka_err2str(err)));
	return -EIO;
}

rd_kafka_message_t *membership_next(struct membership *m) {
	rd_kafka_message_t *message;

	while (!membership_news_has_beside(&m->news, MEMBERSHIP_INPUT_LOST) &&
	       (message = inputs_next(m->inputs))) {
		if (!message->err)
			return message;
		tell_error(m, message);
		rd_kafka_message_destroy(message);
	}
	return NULL;
}

void membership_put_back(struct membership *m, rd_kafka_message_t *message) {
	inputs_put_back(m->inputs, message);
}

void membership_hold(struct membership *m, rd_kafka_message_t *message) {
	inputs_hold(m->inputs, message);
}

void membership_release(struct membership *m) {
	inputs_release(m->inputs);
}

void membership_turn_over(struct membership *m) {
	atomic_store_explicit(&m->settings.metrics->inputs_held, inputs_held(m->inputs),
			      memory_order_relaxed);
	inputs_turn_over(m->inputs);
}

void membership_watch(struct membership *m) {
	bool silent[POSITION_INPUTS];

	for (int i = 0; i < POSITION_INPUTS; i++)
		silent[i] =
		    m->consumer && m->read[i] >= 0 &&
		    membership_input_end(m, input_topic_name(m->settings.topics, (enum input)i),
					 m->read[i]) < 0;
	input_refusals_watch(&m->refusals, m->settings.config, m->settings.topics,
			     m->settings.metrics, silent);
}

int64_t membership_input_end(const struct membership *m, const char *topic, int32_t partition) {
	int64_t low, high;

	return rd_kafka_get_watermark_offsets(m->consumer, topic, partition, &low, &high) ? -1
											  : high;
}
