#include "kafka/handle.h"

#include "base/clock.h"
#include "base/log.h"
#include "rdkafka/refusal.h"

#include <errno.h>
#include <stdio.h>

static void on_error(rd_kafka_t *rk _unused_, int error, const char *reason, void *opaque) {
	struct kafka_handle *handle = opaque;

	if (refusal_is_of_login((rd_kafka_resp_err_t)error)) {
		handle->login_error = (rd_kafka_resp_err_t)error;
		handle->login_error_at_ms = clock_monotonic_ms();
	}
	/* "All brokers are down" has less information than the connection error before it. */
	if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || !handle->last_error[0])
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
	handle->rk = settings_client_new(options->kind, conf, false, why, sizeof(why));
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

bool kafka_login_is_refused(struct kafka_handle *handle) {
	if (handle->login_error &&
	    clock_monotonic_ms() - handle->login_error_at_ms > REFUSAL_LOGIN_MENDED_AFTER_MS)
		handle->login_error = RD_KAFKA_RESP_ERR_NO_ERROR;
	return handle->login_error &&
	       refusal_log(handle->login_error, "Connect", "brokers", handle->bootstrap);
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

static const char *separator(const struct kafka_handle *handle) {
	return handle->last_error[0] ? ": " : "";
}

enum admin_status kafka_complain(const struct kafka_handle *handle, const char *what,
				 rd_kafka_resp_err_t error) {
	const char *cause = is_unknown_topic(error) ? "posthorn-admin topics create makes it"
						    : refusal_cause(error);

	terminal_complain("%s: %s (kafka.bootstrap.servers=%s%s%s)%s%s", what,
			  rd_kafka_err2str(error), handle->bootstrap, separator(handle),
			  handle->last_error, cause ? "; " : "", cause ? cause : "");
	return kafka_status(error);
}

enum admin_status kafka_complain_timeout(const struct kafka_handle *handle, const char *what,
					 int64_t timeout_ms) {
	terminal_complain("%s: no answer in %.1f s (kafka.bootstrap.servers=%s%s%s)", what,
			  (double)timeout_ms / 1000, handle->bootstrap, separator(handle),
			  handle->last_error);
	return ADMIN_NO_OUTCOME;
}
