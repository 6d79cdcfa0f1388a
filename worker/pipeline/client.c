#include "pipeline/client.h"

#include <stdatomic.h>

static atomic_bool session_timed_out;

struct setting {
	const char *name;
	const char *value;
};

/* Defaults that `kafka.*` may override. The session timeout bounds how long a dead worker's partitions wait for another owner. */
static const struct setting group_defaults[] = {
	{ "session.timeout.ms", "10000" },
	{ "heartbeat.interval.ms", "1000" },
	{ "queued.min.messages", "5000" },
	{ "queued.max.messages.kbytes", "16384" },
};

static const struct setting producer_defaults[] = {
	{ "linger.ms", "5" },
	{ "queue.buffering.max.messages", "500000" },
	{ "queue.buffering.max.kbytes", "262144" },
};

static const struct setting common_ours[] = {
	{ "socket.nagle.disable", "true" },
	{ "log.connection.close", "false" },
	{ "message.max.bytes", "10485760" },
};

static const struct setting group_ours[] = {
	{ "isolation.level", "read_committed" },
	{ "partition.assignment.strategy", "range" },
	{ "auto.offset.reset", "error" },
	{ "enable.auto.commit", "false" },
	{ "enable.auto.offset.store", "false" },
	{ "enable.partition.eof", "false" },
};

static const struct setting producer_ours[] = {
	{ "enable.idempotence", "true" },
	{ "transaction.timeout.ms", "15000" },
	{ "message.timeout.ms", "12000" },
	{ "partitioner", "murmur2_random" },
};

static const struct setting restore_ours[] = {
	{ "isolation.level", "read_committed" },
	{ "auto.offset.reset", "error" },
	{ "enable.auto.commit", "false" },
	{ "enable.auto.offset.store", "false" },
	{ "enable.partition.eof", "true" },
	{ "queued.max.messages.kbytes", "32768" },
	{ "fetch.wait.max.ms", "10" },
};

static const struct setting watermark_ours[] = {
	{ "isolation.level", "read_uncommitted" },
	{ "enable.auto.commit", "false" },
};

static int set(rd_kafka_conf_t *conf, const char *name, const char *value) {
	char error[512];

	if (rd_kafka_conf_set(conf, name, value, error, sizeof(error)) == RD_KAFKA_CONF_OK)
		return 0;
	log_error("librdkafka refuses a property", "key=kafka.%s value=%s error=%s", name, log_quote(value), log_quote(error));
	return -1;
}

static int set_all(rd_kafka_conf_t *conf, const struct setting *settings, size_t count) {
	for (size_t i = 0; i < count; i++)
		if (set(conf, settings[i].name, settings[i].value) < 0)
			return -1;
	return 0;
}

/* Properties of the other kind of client are only warned of by librdkafka, so one set serves both. */
static int set_passed_through(rd_kafka_conf_t *conf, const struct config *config) {
	for (size_t i = 0; i < config->kafka_count; i++)
		if (set(conf, config->kafka[i].name, config->kafka[i].value) < 0)
			return -1;
	return 0;
}

static void on_log(const rd_kafka_t *client _unused_, int level, const char *facility, const char *text) {
	if (strcmp(facility, "SESSTMOUT") == 0)
		atomic_store(&session_timed_out, true);
	if (level <= 3)
		log_warn("kafka client", "facility=%s text=%s", facility, log_quote(text));
	else
		log_debug("kafka client", "facility=%s text=%s", facility, log_quote(text));
}

/* Broker connections come and go; what matters returns from the calls. */
static void on_error(rd_kafka_t *client _unused_, int err, const char *reason, void *opaque _unused_) {
	log_debug("kafka client error", "code=%s reason=%s", rd_kafka_err2name((rd_kafka_resp_err_t)err), log_quote(reason));
}

/*
 * librdkafka 2.0.2 tells of an answer twice: from the broker's thread when it came, and from the client's main thread when that gets round to it. Only
 * the first knows when the request was sent, and the second would be taken for an answer to another one.
 */
static _Thread_local bool is_broker_thread;

static rd_kafka_resp_err_t on_thread_start(rd_kafka_t *client _unused_, rd_kafka_thread_type_t type, const char *name _unused_, void *callbacks _unused_) {
	is_broker_thread = type == RD_KAFKA_THREAD_BROKER;
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_response(rd_kafka_t *client _unused_, int fd _unused_, const char *broker _unused_, int32_t broker_id _unused_,
				       int16_t api_key, int16_t version _unused_, int32_t correlation_id _unused_, size_t size _unused_,
				       int64_t rtt_us, rd_kafka_resp_err_t err, void *userdata) {
	const struct client_callbacks *callbacks = userdata;

	if (is_broker_thread && !err && rtt_us >= 0)
		callbacks->answered(api_key, rtt_us, callbacks->opaque);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *client, const rd_kafka_conf_t *conf _unused_, void *callbacks, char *error _unused_,
				  size_t error_size _unused_) {
	rd_kafka_interceptor_add_on_thread_start(client, "thread", on_thread_start, callbacks);
	return rd_kafka_interceptor_add_on_response_received(client, "answered", on_response, callbacks);
}

static int configure_group(rd_kafka_conf_t *conf, const struct config *config, const struct client_callbacks *callbacks) {
	rd_kafka_conf_set_rebalance_cb(conf, callbacks->rebalance);
	rd_kafka_conf_interceptor_add_on_new(conf, "answered", on_new, (void *)(uintptr_t)callbacks);
	return set_all(conf, group_ours, ARRAY_LEN(group_ours)) || set(conf, "group.id", config->group_id) ||
	       set(conf, "group.instance.id", config->worker_id);
}

static int configure_producer(rd_kafka_conf_t *conf, const struct config *config, const struct client_callbacks *callbacks) {
	_cleanup_(x_freep) char *transactional_id = x_asprintf("%s-%s", config->group_id, config->worker_id);

	rd_kafka_conf_set_dr_msg_cb(conf, callbacks->produce_report);
	return set_all(conf, producer_ours, ARRAY_LEN(producer_ours)) || set(conf, "transactional.id", transactional_id);
}

/* A group id is asked for by librdkafka wherever partitions are assigned; these clients never join a group. */
static int configure_reader(rd_kafka_conf_t *conf, const struct config *config, enum client_kind kind) {
	_cleanup_(x_freep) char *group_id = x_asprintf("%s-%s-restore", config->group_id, config->worker_id);

	if (set(conf, "group.id", group_id) < 0)
		return -1;
	return kind == CLIENT_RESTORE ? set_all(conf, restore_ours, ARRAY_LEN(restore_ours)) :
					set_all(conf, watermark_ours, ARRAY_LEN(watermark_ours));
}

static int configure(rd_kafka_conf_t *conf, const struct config *config, enum client_kind kind,
		     const struct client_callbacks *callbacks) {
	int r;

	rd_kafka_conf_set_log_cb(conf, on_log);
	rd_kafka_conf_set_error_cb(conf, on_error);
	if (callbacks)
		rd_kafka_conf_set_opaque(conf, callbacks->opaque);
	r = kind == CLIENT_GROUP    ? set_all(conf, group_defaults, ARRAY_LEN(group_defaults)) :
	    kind == CLIENT_PRODUCER ? set_all(conf, producer_defaults, ARRAY_LEN(producer_defaults)) :
				      0;
	if (r || set_passed_through(conf, config) || set_all(conf, common_ours, ARRAY_LEN(common_ours)))
		return -1;
	switch (kind) {
	case CLIENT_GROUP:
		return configure_group(conf, config, callbacks);
	case CLIENT_PRODUCER:
		return configure_producer(conf, config, callbacks);
	case CLIENT_RESTORE:
	case CLIENT_WATERMARK:
		return configure_reader(conf, config, kind);
	}
	abort();
}

rd_kafka_t *client_new(const struct config *config, enum client_kind kind, const struct client_callbacks *callbacks) {
	bool produces = kind == CLIENT_PRODUCER;
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *client;
	char error[512];

	if (configure(conf, config, kind, callbacks)) {
		rd_kafka_conf_destroy(conf);
		return NULL;
	}
	client = rd_kafka_new(produces ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, error, sizeof(error));
	if (!client) {
		log_error("cannot make a kafka client", "error=%s", log_quote(error));
		rd_kafka_conf_destroy(conf);
		return NULL;
	}
	if (!produces)
		rd_kafka_poll_set_consumer(client);
	return client;
}

void client_free(rd_kafka_t *client) {
	if (client)
		rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

int client_session_timeout_ms(rd_kafka_t *client) {
	char value[32] = "";
	size_t size = sizeof(value);

	/* Of the client's own configuration this cannot fail. */
	if (rd_kafka_conf_get(rd_kafka_conf(client), "session.timeout.ms", value, &size) != RD_KAFKA_CONF_OK)
		abort();
	return atoi(value);
}

bool client_take_session_timeout(void) {
	return atomic_exchange(&session_timed_out, false);
}

void client_wake_by(rd_kafka_queue_t *queue, int fd) {
	static const uint64_t one = 1;

	rd_kafka_queue_io_event_enable(queue, fd, &one, sizeof(one));
}
