#include "kafka/handle.h"

#include "base/clock.h"
#include "base/log.h"
#include "rdkafka/handshake.h"
#include "rdkafka/refusal.h"

#include <errno.h>
#include <stdio.h>

enum { SILENT_AFTER_MS = 10 * 1000 };

static void on_error(rd_kafka_t *rk _unused_, int error, const char *reason, void *opaque) {
	struct kafka_handle *handle = opaque;
	const char *cause = refusal_login_cause((rd_kafka_resp_err_t)error, reason);

	if (cause) {
		handle->login_error = (rd_kafka_resp_err_t)error;
		handle->login_cause = cause;
		handle->login_error_at_ms = clock_monotonic_ms();
	}
	/* "All brokers are down" has less information than the connection error before it. */
	if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		snprintf(handle->last_error, sizeof(handle->last_error), "%s", reason);
}

static void on_report(rd_kafka_t *rk _unused_, const rd_kafka_message_t *message, void *opaque) {
	struct kafka_handle *handle = opaque;

	handle->on_report(handle->on_report_userdata, message);
}

static void on_log(const rd_kafka_t *rk _unused_, int level _unused_, const char *facility,
		   const char *text) {
	if (!settings_line_is_secret(text))
		log_debug("librdkafka", "facility=%s text=%s", facility, log_quote(text));
}

/* The greeting is answered by a port that wants a login, too. */
static bool is_of_greeting(int16_t api_key) {
	enum { SASL_HANDSHAKE = 17, API_VERSIONS = 18, SASL_AUTHENTICATE = 36 };

	return api_key == SASL_HANDSHAKE || api_key == API_VERSIONS || api_key == SASL_AUTHENTICATE;
}

/* Any thread of librdkafka's. The signature is its own.
 * NOLINTNEXTLINE(readability-function-size) */
static rd_kafka_resp_err_t on_response(rd_kafka_t *rk _unused_, int fd _unused_,
				       const char *broker _unused_, int32_t broker_id _unused_,
				       int16_t api_key, int16_t version _unused_,
				       int32_t correlation_id _unused_, size_t size _unused_,
				       int64_t rtt_us _unused_, rd_kafka_resp_err_t err,
				       void *userdata) {
	struct kafka_handle *handle = userdata;

	if (!err && !is_of_greeting(api_key))
		atomic_store(&handle->answered_at_ms, clock_monotonic_ms());
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *rk, const rd_kafka_conf_t *conf _unused_,
				  void *handle, char *error _unused_, size_t error_size _unused_) {
	return rd_kafka_interceptor_add_on_response_received(rk, "answered", on_response, handle);
}

static enum admin_status set_all(rd_kafka_conf_t *conf, const struct kafka_setting *settings) {
	char why[512];

	for (; settings && settings->name; settings++) {
		if (rd_kafka_conf_set(conf, settings->name, settings->value, why, sizeof(why)) ==
		    RD_KAFKA_CONF_OK)
			continue;
		terminal_complain("kafka.%s: %s", settings->name, why);
		return ADMIN_USAGE;
	}
	return ADMIN_OK;
}

/* Returns NULL after naming the refused setting. */
static rd_kafka_conf_t *conf_new(struct kafka_handle *handle, const struct config *config,
				 enum client_kind kind) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024);
	rd_kafka_conf_t *conf = settings_conf_new(config, kind, &why);

	if (!conf) {
		terminal_complain("%s", why.data);
		return NULL;
	}
	rd_kafka_conf_set_opaque(conf, handle);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_log_cb(conf, on_log);
	handshake_watch(conf);
	rd_kafka_conf_interceptor_add_on_new(conf, "answered", on_new, handle);
	if (handle->on_report)
		rd_kafka_conf_set_dr_msg_cb(conf, on_report);
	return conf;
}

enum admin_status kafka_handle_open(struct kafka_handle *handle, const struct config *config,
				    const struct kafka_handle_options *options) {
	const char *bootstrap = config_kafka_get(config, "bootstrap.servers");
	enum admin_status status;
	rd_kafka_conf_t *conf;
	char why[512];

	*handle = (struct kafka_handle){ .on_report = options->on_report,
					 .on_report_userdata = options->on_report_userdata };
	if (!bootstrap) {
		terminal_complain("kafka.bootstrap.servers is not set");
		return ADMIN_USAGE;
	}
	conf = conf_new(handle, config, options->kind);
	if (!conf)
		return ADMIN_USAGE;
	if (set_all(conf, options->settings) != ADMIN_OK) {
		rd_kafka_conf_destroy(conf);
		return ADMIN_USAGE;
	}
	handle->opened_at_ms = clock_monotonic_ms();
	handle->rk = settings_client_new(options->kind, conf, options->kind == CLIENT_READER, why,
					 sizeof(why));
	if (handle->rk) {
		handle->bootstrap = x_strdup(bootstrap);
		return ADMIN_OK;
	}
	status = errno == EDEADLK ? ADMIN_NO_OUTCOME : ADMIN_USAGE;
	terminal_complain("kafka: %s", why);
	return status;
}

void kafka_handle_close(struct kafka_handle *handle) {
	if (handle->rk)
		rd_kafka_destroy(handle->rk);
	free(handle->bootstrap);
	*handle = (struct kafka_handle){ 0 };
}

static void log_refused_login(const struct kafka_handle *handle) {
	refusal_log_error(handle->login_error, handle->login_cause, "Connect", "brokers",
			  handle->bootstrap);
}

bool kafka_login_is_refused(struct kafka_handle *handle) {
	if (handle->login_error &&
	    clock_monotonic_ms() - handle->login_error_at_ms > REFUSAL_LOGIN_MENDED_AFTER_MS)
		handle->login_error = RD_KAFKA_RESP_ERR_NO_ERROR;
	if (handle->login_error)
		log_refused_login(handle);
	return handle->login_error;
}

bool kafka_is_silent(const struct kafka_handle *handle) {
	int64_t answered_at_ms = atomic_load(&handle->answered_at_ms);
	int64_t since_ms = answered_at_ms ? answered_at_ms : handle->opened_at_ms;

	if (clock_monotonic_ms() - since_ms < SILENT_AFTER_MS)
		return false;
	refusal_log_cause("Connect", "brokers", handle->bootstrap,
			  REFUSAL_SILENCE "; it is tried again by itself");
	return true;
}

static bool is_unknown_topic(rd_kafka_resp_err_t error) {
	return error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
	       error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

static bool is_misconfiguration(rd_kafka_resp_err_t error) {
	switch (error) {
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
	case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
		return true;
	default:
		return refusal_cause(error);
	}
}

enum admin_status kafka_status(rd_kafka_resp_err_t error) {
	return is_misconfiguration(error) ? ADMIN_USAGE : ADMIN_NO_OUTCOME;
}

/* An operation of librdkafka's may be over before it says that all brokers are down. */
static bool is_of_silence(rd_kafka_resp_err_t error) {
	return error == RD_KAFKA_RESP_ERR__TIMED_OUT || error == RD_KAFKA_RESP_ERR__TRANSPORT ||
	       error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
}

/* NULL: nothing is known. */
static const char *cause_of(const struct kafka_handle *handle, rd_kafka_resp_err_t error) {
	if (is_unknown_topic(error))
		return "posthorn-admin topics create makes it";
	if (is_of_silence(error) && !atomic_load(&handle->answered_at_ms) && !handle->login_cause)
		return REFUSAL_SILENCE;
	return refusal_cause(error);
}

static void complain(const struct kafka_handle *handle, const char *what, const char *error,
		     const char *cause) {
	const char *connection = handle->last_error;

	terminal_complain("%s: %s (kafka.bootstrap.servers=%s%s%s)%s%s", what, error,
			  handle->bootstrap, *connection ? ": " : "", connection, cause ? "; " : "",
			  cause ? cause : "");
}

static atomic_bool logs_refusals;

void kafka_log_refusals(void) {
	atomic_store(&logs_refusals, true);
}

/* A program that serves tries again and again, and says so once. */
static bool is_said(const struct kafka_handle *handle, const char *what, const char *error) {
	unsigned repeats;

	return atomic_load(&logs_refusals) &&
	       refusal_is_repeated("complain", what, handle->bootstrap, error, &repeats);
}

/* What a producer of no right meets is fatal, and has a cause. */
static rd_kafka_resp_err_t true_error(const struct kafka_handle *handle,
				      rd_kafka_resp_err_t error) {
	char why[256];
	rd_kafka_resp_err_t fatal = error == RD_KAFKA_RESP_ERR__FATAL
					? rd_kafka_fatal_error(handle->rk, why, sizeof(why))
					: RD_KAFKA_RESP_ERR_NO_ERROR;

	return fatal ? fatal : error;
}

enum admin_status kafka_complain_of(const struct kafka_handle *handle, const char *operation,
				    const char *kind, const char *name, rd_kafka_resp_err_t error) {
	_cleanup_(x_freep) char *sentence = NULL;

	error = true_error(handle, error);
	if (!refusal_cause(error) || refusal_is_of_login(error))
		return kafka_complain(handle, name, error);
	if (atomic_load(&logs_refusals)) {
		refusal_log(error, operation, kind, name);
		return kafka_status(error);
	}
	sentence = refusal_sentence(error, operation, kind, name);
	terminal_complain("%s (kafka.bootstrap.servers=%s)", sentence, handle->bootstrap);
	return kafka_status(error);
}

enum admin_status kafka_complain(const struct kafka_handle *handle, const char *what,
				 rd_kafka_resp_err_t error) {
	if (atomic_load(&logs_refusals) && handle->login_error) {
		log_refused_login(handle);
		return ADMIN_NO_OUTCOME;
	}
	if (!is_said(handle, what, rd_kafka_err2str(error)))
		complain(handle, what, rd_kafka_err2str(error), cause_of(handle, error));
	return kafka_status(error);
}

enum admin_status kafka_complain_timeout(const struct kafka_handle *handle, const char *what,
					 int64_t timeout_ms) {
	char answer[64];

	if (is_said(handle, what, "no answer"))
		return ADMIN_NO_OUTCOME;
	snprintf(answer, sizeof(answer), "no answer in %.1f s", (double)timeout_ms / 1000);
	complain(handle, what, answer, cause_of(handle, RD_KAFKA_RESP_ERR__TIMED_OUT));
	return ADMIN_NO_OUTCOME;
}
