/* A librdkafka handle made from the configuration: the settings of kafka.*, and over them those
 * that are posthorn's own. Keeps its last error for the user. */
#pragma once

#include "base/config.h"
#include "rdkafka/settings.h"
#include "terminal/status.h"

#include <librdkafka/rdkafka.h>

struct kafka_setting {
	const char *name;
	const char *value;
};

/* Called for each record that was produced, or could not be, while the handle is polled. */
typedef void (*kafka_report_fn)(void *userdata, const rd_kafka_message_t *message);

struct kafka_handle_options {
	enum client_kind kind;
	const struct kafka_setting *settings; /* what rdkafka/settings.h leaves to the caller; ends
						 with an empty row, NULL: none */
	kafka_report_fn on_report;            /* NULL: none */
	void *on_report_userdata;
};

struct kafka_handle {
	rd_kafka_t *rk;       /* owned; NULL: not open */
	char *bootstrap;      /* owned */
	char last_error[512]; /* as the brokers' connections reported it; "" before any */
	rd_kafka_resp_err_t login_error; /* the last one, while it is not mended */
	int64_t login_error_at_ms;       /* monotonic */
	kafka_report_fn on_report;
	void *on_report_userdata;
};

/* Returns ADMIN_OK, or ADMIN_USAGE after saying which setting is refused. `handle` must stay where
 * it is until it is closed. */
enum admin_status kafka_handle_open(struct kafka_handle *handle, const struct config *config,
				    const struct kafka_handle_options *options) _must_check_;
void kafka_handle_close(struct kafka_handle *handle);

/* Whether the brokers refuse the login now, which is logged once. Of the thread that polls the
 * handle. */
bool kafka_login_is_refused(struct kafka_handle *handle);

/* ADMIN_USAGE for what only another configuration can mend (no such topic, no permission), else
 * ADMIN_NO_OUTCOME. */
enum admin_status kafka_status(rd_kafka_resp_err_t error);
/* Says that `what` failed with `error`, with the bootstrap servers and the last connection error,
 * and returns its status. */
enum admin_status kafka_complain(const struct kafka_handle *handle, const char *what,
				 rd_kafka_resp_err_t error);
/* The same where nothing came in time. */
enum admin_status kafka_complain_timeout(const struct kafka_handle *handle, const char *what,
					 int64_t timeout_ms);
