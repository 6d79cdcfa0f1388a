/*
 * librdkafka's settings: one table of those that posthorn decides (settings.c), and the
 * configuration of each kind of client that is made from it.
 */
#pragma once

#include "base/config.h"

#include <librdkafka/rdkafka.h>

/* One bit each: a row of the table concerns several. */
enum client_kind {
	CLIENT_GROUP = 1
	    << 0, /* worker: the member of the consumer group that reads the two input topics */
	CLIENT_PRODUCER = 1 << 1, /* worker: the transactional producer */
	CLIENT_RESTORE = 1
	    << 2, /* worker: reads the changelog, read_committed, with partition EOF events */
	CLIENT_WATERMARK = 1
	    << 3,               /* worker: asks for true high watermarks: read_uncommitted (R1) */
	CLIENT_READER = 1 << 4, /* posthorn-admin: reads a topic from an offset, or from its end */
	CLIENT_SENDER = 1 << 5, /* posthorn-admin: produces commands and replayed records */
	CLIENT_ADMIN_API = 1 << 6, /* posthorn-admin: makes and describes topics */
};

/*
 * The configuration of a client: defaults, then `kafka.*`, then what is ours. The caller owns it.
 * NULL where librdkafka refuses one, with a rule in `why` that begins with its key; after
 * settings_rules have judged `config` none is refused.
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

/* The worker's, from group.id and worker.id; the caller frees it. */
char *settings_transactional_id(const struct config *config);

/* Whether a client of this kind produces. */
bool settings_produces(enum client_kind kind);

/*
 * rd_kafka_new for a client of this kind. Takes `conf`, whatever comes of it. Returns NULL with a
 * sentence in `error`; errno is EDEADLK where another try may do: librdkafka waits for its own new
 * threads by the wall clock, and gives up at once when that is set forward meanwhile.
 */
rd_kafka_t *settings_client_new(enum client_kind kind, rd_kafka_conf_t *conf, bool has_interceptors,
				char *error, size_t error_size);

/* Whether a line of librdkafka's log shows a secret: kafka.debug=conf prints one that it does not
 * know to be one. */
bool settings_line_is_secret(const char *line);
