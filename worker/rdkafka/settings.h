/*
 * librdkafka's settings: one table of those that posthorn decides (settings.c), the configuration
 * of each kind of client that is made from it, and the judgement of `kafka.*` when the
 * configuration is read, before any client is made.
 *
 * The judgement is librdkafka's own, of the version that is linked: each setting is tried alone,
 * then all of them together on clients without brokers, which connect to nothing. What those would
 * find later, or never, is looked for here.
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

/* Of config_source: by these rules every `kafka.*` is judged. */
extern const struct config_kafka_rules settings_rules;

/*
 * The configuration of a client: defaults, then `kafka.*`, then what is ours. The caller owns it.
 * NULL where librdkafka refuses one, with a rule in `why` that begins with its key; after
 * settings_rules have judged `config` none is refused.
 */
rd_kafka_conf_t *settings_conf_new(const struct config *config, enum client_kind kind,
				   struct buffer *why);

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
