/*
 * librdkafka's settings: one table of those that posthorn decides (settings.c), and the
 * configuration of each kind of client that is made from it.
 */
#pragma once

#include "base/config.h"

#include <librdkafka/rdkafka.h>

/* One bit each: a row of the table concerns several. */
enum client_kind {
	/* The worker's. */
	CLIENT_GROUP = 1 << 0,     /* the group's member: reads the input topics */
	CLIENT_PRODUCER = 1 << 1,  /* the transactional producer */
	CLIENT_RESTORE = 1 << 2,   /* reads the changelog, read_committed, with partition EOFs */
	CLIENT_WATERMARK = 1 << 3, /* asks for true high watermarks, read_uncommitted (R1) */
	/* posthorn-admin's. */
	CLIENT_READER = 1 << 4,    /* reads a topic from an offset, or from its end */
	CLIENT_SENDER = 1 << 5,    /* produces commands and replayed records */
	CLIENT_ADMIN_API = 1 << 6, /* makes and describes topics */
};

/*
 * The configuration of a client: defaults, then `kafka.*`, then the reserved settings. The caller
 * owns it. Returns NULL when librdkafka refuses a setting, with a rule in `why` that begins with
 * its key; after settings_rules have judged `config` none is refused.
 */
rd_kafka_conf_t *settings_conf_new(const struct config *config, enum client_kind kind,
				   struct buffer *why);

/*
 * Sets one setting. A refusal is added to `why` in librdkafka's words, which quote the value,
 * unless it is a secret.
 */
rd_kafka_conf_res_t settings_set(rd_kafka_conf_t *conf, const char *name, const char *value,
				 struct buffer *why) _must_check_;

/* Why `kafka.*` may not set this setting; NULL: it may. */
const char *settings_reserved(const char *name);

/* The worker's transactional.id, from group.id and worker.id; the caller frees it. */
char *settings_transactional_id(const struct config *config);

/* Whether a client of this kind produces. */
bool settings_produces(enum client_kind kind);

/*
 * rd_kafka_new for a client of this kind. Takes `conf`, also on failure. Returns NULL with a
 * sentence in `error`; errno is EDEADLK when another try may succeed: librdkafka waits for its new
 * threads by the wall clock, and gives up at once when the clock is set forward meanwhile.
 */
rd_kafka_t *settings_client_new(enum client_kind kind, rd_kafka_conf_t *conf, bool has_interceptors,
				char *error, size_t error_size);

/* Whether a line of librdkafka's log shows a secret: kafka.debug=conf prints
 * sasl.oauthbearer.client.secret. */
bool settings_line_is_secret(const char *line);
