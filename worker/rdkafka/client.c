#include "rdkafka/client.h"

#include "base/invariant.h"
#include "rdkafka/handshake.h"
#include "rdkafka/refusal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

enum { TRIES_MAX = 8, FIRST_PAUSE_MS = 100 }; /* 12 s in all */

static atomic_bool session_timed_out, login_refused;

/* Errors of the transactional producer, which its calls return too: the caller logs them. */
static bool returns_from_calls(const char *facility) {
	return strcmp(facility, "TXNERR") == 0 || strcmp(facility, "FATAL") == 0 ||
	       strcmp(facility, "ADDPARTS") == 0;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *refused_topic; /* owned, used under the lock */

static void note_refused_topic(char *topic) {
	pthread_mutex_lock(&lock);
	free(refused_topic);
	refused_topic = topic;
	pthread_mutex_unlock(&lock);
}

void client_forget_refused_topic(void) {
	note_refused_topic(NULL);
}

bool client_has_refused_topic(const char *name) {
	bool has;

	pthread_mutex_lock(&lock);
	has = refused_topic && (!name || strcmp(refused_topic, name) == 0);
	pthread_mutex_unlock(&lock);
	return has;
}

/* Only librdkafka's log names the topic of a transaction that may not be written:
 * `... partition "TOPIC" [0] to ...`. */
static void explain_topic(const char *text) {
	const char *begin = strchr(text, '"'), *end = begin ? strchr(begin + 1, '"') : NULL;
	_cleanup_(x_freep) char *topic =
	    end ? x_strndup(begin + 1, (size_t)(end - begin - 1)) : NULL;

	if (!topic || !strstr(end, rd_kafka_err2str(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)))
		return;
	refusal_log(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "Write", "topic", topic);
	note_refused_topic(TAKE(topic));
}

static void on_log(const rd_kafka_t *client _unused_, int level, const char *facility,
		   const char *text) {
	if (strcmp(facility, "SESSTMOUT") == 0)
		atomic_store(&session_timed_out, true);
	if (settings_line_is_secret(text))
		return;
	if (strcmp(facility, "ADDPARTS") == 0)
		explain_topic(text);
	if (level <= 3 && !returns_from_calls(facility))
		log_warn("kafka client", "facility=%s text=%s", facility, log_quote(text));
	else
		log_debug("kafka client", "facility=%s text=%s", facility, log_quote(text));
}

static void explain_login(rd_kafka_t *client, rd_kafka_resp_err_t err, const char *cause) {
	char brokers[256];
	size_t size = sizeof(brokers);

	if (rd_kafka_conf_get(rd_kafka_conf(client), "bootstrap.servers", brokers, &size) !=
	    RD_KAFKA_CONF_OK)
		*brokers = '\0';
	refusal_log_error(err, cause, "Connect", "brokers", brokers);
	atomic_store(&login_refused, true);
}

/* Connections to brokers come and go, and the calls return the errors that matter. A refused login
 * is the exception: no call returns it. */
static void on_error(rd_kafka_t *client, int err, const char *reason, void *opaque _unused_) {
	const char *cause = refusal_login_cause((rd_kafka_resp_err_t)err, reason);

	if (cause)
		explain_login(client, (rd_kafka_resp_err_t)err, cause);
	log_debug("kafka client error", "code=%s reason=%s",
		  rd_kafka_err2name((rd_kafka_resp_err_t)err), log_quote(reason));
}

/*
 * librdkafka 2.0.2 reports an answer twice: by the broker's thread when it comes, and later by the
 * client's main thread. Only the first report knows when the request was sent. The second would
 * pass for the answer to another request.
 */
static _Thread_local bool is_broker_thread;

static rd_kafka_resp_err_t on_thread_start(rd_kafka_t *client _unused_, rd_kafka_thread_type_t type,
					   const char *name _unused_, void *callbacks _unused_) {
	is_broker_thread = type == RD_KAFKA_THREAD_BROKER;
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* The signature is librdkafka's. NOLINTNEXTLINE(readability-function-size) */
static rd_kafka_resp_err_t on_response(rd_kafka_t *client _unused_, int fd _unused_,
				       const char *broker _unused_, int32_t broker_id _unused_,
				       int16_t api_key, int16_t version _unused_,
				       int32_t correlation_id _unused_, size_t size _unused_,
				       int64_t rtt_us, rd_kafka_resp_err_t err, void *userdata) {
	const struct client_callbacks *callbacks = userdata;

	if (is_broker_thread && !err && rtt_us >= 0)
		callbacks->answered(api_key, rtt_us, callbacks->opaque);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *client, const rd_kafka_conf_t *conf _unused_,
				  void *callbacks, char *error _unused_,
				  size_t error_size _unused_) {
	rd_kafka_interceptor_add_on_thread_start(client, "thread", on_thread_start, callbacks);
	return rd_kafka_interceptor_add_on_response_received(client, "answered", on_response,
							     callbacks);
}

static void add_callbacks(rd_kafka_conf_t *conf, enum client_kind kind,
			  const struct client_callbacks *callbacks) {
	rd_kafka_conf_set_log_cb(conf, on_log);
	rd_kafka_conf_set_error_cb(conf, on_error);
	handshake_watch(conf);
	if (!callbacks)
		return;
	rd_kafka_conf_set_opaque(conf, callbacks->opaque);
	if (kind == CLIENT_PRODUCER) {
		rd_kafka_conf_set_dr_msg_cb(conf, callbacks->produce_report);
		rd_kafka_conf_set_throttle_cb(conf, callbacks->throttled);
	}
	if (kind == CLIENT_GROUP) {
		rd_kafka_conf_set_rebalance_cb(conf, callbacks->rebalance);
		rd_kafka_conf_interceptor_add_on_new(conf, "answered", on_new,
						     (void *)(uintptr_t)callbacks);
	}
}

/* Returns NULL after logging; `*again` then: another try may succeed. */
static rd_kafka_t *try_new(const struct config *config, enum client_kind kind,
			   const struct client_callbacks *callbacks, bool *again) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024);
	rd_kafka_conf_t *conf = settings_conf_new(config, kind, &why);
	rd_kafka_t *client;
	char error[512];

	*again = false;
	if (!conf) {
		log_error("librdkafka refuses a setting", "error=%s", log_quote(why.data));
		return NULL;
	}
	add_callbacks(conf, kind, callbacks);
	client = settings_client_new(kind, conf, kind == CLIENT_GROUP && callbacks, error,
				     sizeof(error));
	*again = !client && errno == EDEADLK;
	if (*again)
		log_warn("a kafka client was not made in time: was the clock set?", "error=%s",
			 log_quote(error));
	else if (!client)
		log_error("cannot make a kafka client", "error=%s", log_quote(error));
	return client;
}

/* A clock that is set meanwhile ends librdkafka's waits, and those of the next try too while it is
 * being set. */
rd_kafka_t *client_new(const struct config *config, enum client_kind kind,
		       const struct client_callbacks *callbacks) {
	rd_kafka_t *client;
	bool again;

	client = try_new(config, kind, callbacks, &again);
	for (int tries = 1; !client && again && tries < TRIES_MAX; tries++) {
		poll(NULL, 0, FIRST_PAUSE_MS << (tries - 1));
		client = try_new(config, kind, callbacks, &again);
	}
	if (client && !settings_produces(kind))
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
	rd_kafka_conf_res_t r =
	    rd_kafka_conf_get(rd_kafka_conf(client), "session.timeout.ms", value, &size);

	invariant(r == RD_KAFKA_CONF_OK, "every client has a session timeout");
	return atoi(value);
}

bool client_take_refused_login(void) {
	return atomic_exchange(&login_refused, false);
}

bool client_take_session_timeout(void) {
	return atomic_exchange(&session_timed_out, false);
}

void client_wake_by(rd_kafka_queue_t *queue, int fd) {
	static const uint64_t one = 1;

	rd_kafka_queue_io_event_enable(queue, fd, &one, sizeof(one));
}

int client_read_generation(const rd_kafka_consumer_group_metadata_t *group, int32_t *generation) {
	static const char magic[] = "CGMDv2:"; /* the generation follows, a native int32 */
	void *bytes = NULL;
	size_t size = 0;
	rd_kafka_error_t *error = rd_kafka_consumer_group_metadata_write(group, &bytes, &size);
	int r = -EPROTO;

	if (error) {
		rd_kafka_error_destroy(error);
		return r;
	}
	if (size >= strlen(magic) + sizeof(*generation) &&
	    memcmp(bytes, magic, strlen(magic)) == 0) {
		memcpy(generation, (char *)bytes + strlen(magic), sizeof(*generation));
		r = *generation < 0 ? -EPROTO : 0;
	}
	rd_kafka_mem_free(NULL, bytes);
	return r;
}
