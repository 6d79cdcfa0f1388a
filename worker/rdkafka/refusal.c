#include "rdkafka/refusal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#include <pthread.h>

enum { AGAIN_AFTER_MS = 5 * 60 * 1000, REMEMBERED = 8 };

#define NO_RIGHT "no ACL allows it to this principal: docs/kafka-security.md lists the rights that are needed"

const char *refusal_cause(rd_kafka_resp_err_t err) {
	switch (err) {
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
		return NO_RIGHT;
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
		return "the brokers refuse the login: kafka.sasl.mechanism, kafka.sasl.username or its password are not theirs";
	case RD_KAFKA_RESP_ERR__SSL:
		return "the TLS handshake fails: kafka.ssl.ca.location did not sign the brokers' certificate, their name is not in it, or they want a "
		       "client's certificate (kafka.ssl.certificate.location)";
	case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
		return "kafka.session.timeout.ms is less than the brokers' group.min.session.timeout.ms, or more than their group.max.session.timeout.ms";
	case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
		return "the brokers' transaction.max.timeout.ms is less than the 15 s that a transaction may take";
	default:
		return NULL;
	}
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* What was logged, and when: the oldest makes room. Under the lock. */
static struct {
	char *text; /* owned, for the process's life */
	int64_t at_ms;
} remembered[REMEMBERED];

/* Takes `text`. */
static bool remember(char *text) {
	int64_t now_ms = clock_monotonic_ms();
	size_t oldest = 0;

	for (size_t i = 0; i < REMEMBERED; i++) {
		if (remembered[i].text && strcmp(remembered[i].text, text) == 0 && now_ms - remembered[i].at_ms < AGAIN_AFTER_MS) {
			free(text);
			return true;
		}
		if (remembered[i].at_ms < remembered[oldest].at_ms)
			oldest = i;
	}
	free(remembered[oldest].text);
	remembered[oldest].text = text;
	remembered[oldest].at_ms = now_ms;
	return false;
}

static bool was_logged(const char *operation, const char *kind, const char *name, const char *cause) {
	bool known;

	pthread_mutex_lock(&lock);
	known = remember(x_asprintf("%s %s %s: %s", operation, kind, name, cause));
	pthread_mutex_unlock(&lock);
	return known;
}

bool refusal_log(rd_kafka_resp_err_t err, const char *operation, const char *kind, const char *name) {
	const char *cause = refusal_cause(err);

	if (cause && !was_logged(operation, kind, name, cause))
		log_error("Kafka refuses an operation", "operation=%s resource=\"%s %s\" error=%s cause=%s", log_quote(operation), kind, name,
			  log_quote(rd_kafka_err2str(err)), log_quote(cause));
	return cause;
}

void refusal_log_cause(const char *operation, const char *kind, const char *name, const char *cause) {
	if (!was_logged(operation, kind, name, cause))
		log_warn("Kafka cannot do an operation", "operation=%s resource=\"%s %s\" cause=%s", log_quote(operation), kind, name, log_quote(cause));
}
