/* A librdkafka handle made from the configuration: the settings of kafka.*, and over them those
 * that are posthorn's own. Keeps its last error for the user. */
#pragma once

#include "base/config.h"
#include "rdkafka/settings.h"
#include "terminal/status.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

struct kafka_setting {
	const char *name;
	const char *value;
};

/* Called while the handle is polled, for each record that was produced or given up. */
typedef void (*kafka_report_fn)(void *userdata, const rd_kafka_message_t *message);

struct kafka_handle_options {
	enum client_kind kind;
	const struct kafka_setting *settings; /* settings that rdkafka/settings.h leaves to the
						 caller; ends with an empty row; NULL: none */
	kafka_report_fn on_report;            /* NULL: none */
	void *on_report_userdata;
};

struct kafka_handle {
	rd_kafka_t *rk;                  /* owned; NULL: not open */
	char *bootstrap;                 /* owned */
	char last_error[512];            /* of a broker connection; "": none yet */
	rd_kafka_resp_err_t login_error; /* the last one, while it lasts */
	const char *login_cause;         /* static */
	int64_t login_error_at_ms;       /* monotonic */
	int64_t opened_at_ms;            /* monotonic */
	/* Monotonic: the last answer of a broker to more than a greeting; 0: none yet. */
	atomic_int_fast64_t answered_at_ms;
	kafka_report_fn on_report;
	void *on_report_userdata;
};

/* Returns ADMIN_OK, or ADMIN_USAGE after naming the refused setting. `handle` must not move until
 * it is closed. */
enum admin_status kafka_handle_open(struct kafka_handle *handle, const struct config *config,
				    const struct kafka_handle_options *options) _must_check_;
void kafka_handle_close(struct kafka_handle *handle);

/* Whether the brokers refuse the login now; logs a refusal once. Call it on the thread that polls
 * the handle. */
bool kafka_login_is_refused(struct kafka_handle *handle);

/* Whether no broker has answered this reader for ten seconds, though it asks all the time; logs
 * that once. Any thread. */
bool kafka_is_silent(const struct kafka_handle *handle);

/* From now on refusals are logged, each once in five minutes: for a program that serves and tries
 * again. */
void kafka_log_refusals(void);

/* ADMIN_USAGE for an error that needs another configuration (no such topic, no permission), else
 * ADMIN_NO_OUTCOME. */
enum admin_status kafka_status(rd_kafka_resp_err_t error);
/* Prints that `what` failed with `error`, with the bootstrap servers, the last connection error and
 * the likely cause. Returns kafka_status of it. */
enum admin_status kafka_complain(const struct kafka_handle *handle, const char *what,
				 rd_kafka_resp_err_t error);
/* The same for an operation, Kafka's right to it (Read, Write) and the resource, which a refusal
 * names: "topic" and its name. */
enum admin_status kafka_complain_of(const struct kafka_handle *handle, const char *operation,
				    const char *kind, const char *name, rd_kafka_resp_err_t error);
/* Prints the same for a timeout. Returns ADMIN_NO_OUTCOME. */
enum admin_status kafka_complain_timeout(const struct kafka_handle *handle, const char *what,
					 int64_t timeout_ms);
