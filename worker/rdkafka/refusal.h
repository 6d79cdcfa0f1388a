/*
 * Refusals that last until an operator changes something, in an operator's words: the operation,
 * the resource, the likely cause.
 */
#pragma once

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

/* The likely cause of a refusal, and what to do about it. NULL for every other error: it may pass
 * by itself. */
const char *refusal_cause(rd_kafka_resp_err_t err);

/* The cause where no broker answers. A port that wants TLS, or a login, is silent to a client
 * without. */
#define REFUSAL_SILENCE                                                                            \
	"no broker answers: they are down, kafka.bootstrap.servers or kafka.security.protocol is " \
	"not theirs, or the network is closed"

/*
 * Who is refused, for the words of every later refusal: "User:worker", as Kafka's ACLs call it, or
 * a hint; and whether the login is SCRAM's. Any thread.
 */
void refusal_know_login(const char *principal, bool is_scram);

/* Whether the linked librdkafka cannot log in to Kafka 4.0 or later with SCRAM. */
bool refusal_scram_is_broken(void);

/* Whether the error is a refused login or a failed TLS handshake. Only a client's error callback
 * gets it: no call returns it. */
bool refusal_is_of_login(rd_kafka_resp_err_t err);

/* Why no login comes about, of an error callback's two values: the handshake's fault, or the
 * refusal's cause. NULL for every other error. */
const char *refusal_login_cause(rd_kafka_resp_err_t err, const char *reason);

/* A login counts as repaired so long after its last error: longer than librdkafka's
 * reconnect.backoff.max.ms. */
enum { REFUSAL_LOGIN_MENDED_AFTER_MS = 15 * 1000 };

/*
 * Logs an error that has a refusal_cause; the same one again only after five minutes. Returns
 * whether it has one: the caller logs any other. `operation` is the right that Kafka asks for
 * (Read, Write, Describe); `kind` and `name` are the resource: topic, group, transactional id. Any
 * thread.
 */
bool refusal_log(rd_kafka_resp_err_t err, const char *operation, const char *kind,
		 const char *name);

/* The same with another cause than refusal_cause's. */
void refusal_log_error(rd_kafka_resp_err_t err, const char *cause, const char *operation,
		       const char *kind, const char *name);

/* One sentence for a terminal: who may not do what, and the cause. The caller frees it. */
char *refusal_sentence(rd_kafka_resp_err_t err, const char *operation, const char *kind,
		       const char *name);

/* Logs a cause that the caller knows and that may pass by itself, as a warning; the same one again
 * only after five minutes. Any thread. */
void refusal_log_cause(const char *operation, const char *kind, const char *name,
		       const char *cause);

/*
 * Whether the same message was logged in the last five minutes: then it is counted. If not, the
 * caller logs it now, with `*repeats`, the number of times that it was counted. Any thread.
 */
bool refusal_is_repeated(const char *operation, const char *kind, const char *name,
			 const char *cause, unsigned *repeats);
