/*
 * What brokers refuse until an operator changes something, in his words: the operation, the
 * resource, the likely cause.
 */
#pragma once

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

/* Why brokers answer so, and what to do about it; NULL for errors of any other kind, which may pass
 * by themselves. */
const char *refusal_cause(rd_kafka_resp_err_t err);

/* Whether nobody was let in: a refused login, or a TLS handshake that failed. Clients are told of
 * it as an error, no call returns it. */
bool refusal_is_of_login(rd_kafka_resp_err_t err);

/* So long after the last such error it is mended: more than librdkafka's reconnect.backoff.max.ms.
 */
enum { REFUSAL_LOGIN_MENDED_AFTER_MS = 15 * 1000 };

/*
 * Logs an error that has a cause; the same one again only after five minutes. Returns whether it
 * has: whoever asks need not log it then. `operation` is the right that is asked for (Read, Write,
 * Describe), `kind` the kind of what is called `name`: topic, group, transactional id. Any thread.
 */
bool refusal_log(rd_kafka_resp_err_t err, const char *operation, const char *kind,
		 const char *name);

/* The same for a cause that the caller knows and that may pass: a warning. */
void refusal_log_cause(const char *operation, const char *kind, const char *name,
		       const char *cause);

/*
 * Whether the same was logged in the last five minutes: then it is counted instead. If not, the
 * caller logs it now, with
 * `*repeats`: how often it came after it was logged last. Any thread.
 */
bool refusal_is_repeated(const char *operation, const char *kind, const char *name,
			 const char *cause, unsigned *repeats);
