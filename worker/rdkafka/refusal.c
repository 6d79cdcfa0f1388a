#include "rdkafka/refusal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "rdkafka/handshake.h"

#include <pthread.h>
#include <stdio.h>

enum { AGAIN_AFTER_MS = 5 * 60 * 1000, REMEMBERED = 32 };

#define NO_RIGHT                                                                                   \
	"no ACL allows it to this principal: posthorn-admin acls print lists the rights that are " \
	"needed"

#define NO_LOGIN                                                                                   \
	"the brokers refuse the login: kafka.sasl.mechanism, kafka.sasl.username or its password " \
	"are not theirs"

/* An older one repeats its nonce, which brokers take for a wrong password since 4.0. Source:
 * librdkafka, pull request 4895. */
enum { SCRAM_RIGHT_SINCE = 0x02060100 };

enum { PRINCIPAL_BYTES = 256 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Used under the lock. */
static char known_principal[PRINCIPAL_BYTES];
static bool is_scram_login;

void refusal_know_login(const char *principal, bool is_scram) {
	pthread_mutex_lock(&lock);
	snprintf(known_principal, sizeof(known_principal), "%s", principal);
	is_scram_login = is_scram;
	pthread_mutex_unlock(&lock);
}

static void copy_principal(char *out) {
	pthread_mutex_lock(&lock);
	memcpy(out, known_principal, PRINCIPAL_BYTES);
	pthread_mutex_unlock(&lock);
}

bool refusal_scram_is_broken(void) {
	return rd_kafka_version() < SCRAM_RIGHT_SINCE;
}

static bool is_of_broken_scram(void) {
	bool is_scram;

	pthread_mutex_lock(&lock);
	is_scram = is_scram_login;
	pthread_mutex_unlock(&lock);
	return is_scram && refusal_scram_is_broken();
}

const char *refusal_cause(rd_kafka_resp_err_t err) {
	switch (err) {
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
		return NO_RIGHT;
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
		return is_of_broken_scram() ? NO_LOGIN
			   "; SCRAM with Kafka 4.0 or later needs librdkafka 2.6.1"
					    : NO_LOGIN;
	case RD_KAFKA_RESP_ERR__SSL:
		return "the TLS handshake fails: kafka.ssl.ca.location did not sign the brokers' "
		       "certificate, their name is not in it, or they want a "
		       "client's certificate (kafka.ssl.certificate.location)";
	case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
		return "kafka.session.timeout.ms is less than the brokers' "
		       "group.min.session.timeout.ms, or more than their "
		       "group.max.session.timeout.ms";
	case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
		return "the brokers' transaction.max.timeout.ms is less than the 15 s that a "
		       "transaction may take";
	default:
		return NULL;
	}
}

bool refusal_is_of_login(rd_kafka_resp_err_t err) {
	return err == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
	       err == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED || err == RD_KAFKA_RESP_ERR__SSL;
}

const char *refusal_login_cause(rd_kafka_resp_err_t err, const char *reason) {
	const char *cause = handshake_cause(reason);

	return !cause && refusal_is_of_login(err) ? refusal_cause(err) : cause;
}

/* The messages that were logged last; the oldest makes room. Used under the lock. */
struct remembered {
	char *text; /* owned, for the process's life */
	int64_t at_ms;
	unsigned repeats; /* since it was logged */
};

static struct remembered table[REMEMBERED];

/* The place of `text`, or the oldest one. */
static struct remembered *find_place(const char *text) {
	struct remembered *oldest = table;

	for (size_t i = 0; i < REMEMBERED; i++) {
		if (table[i].text && strcmp(table[i].text, text) == 0)
			return &table[i];
		if (table[i].at_ms < oldest->at_ms)
			oldest = &table[i];
	}
	return oldest;
}

/* Takes `text`. */
static bool remember(char *text, unsigned *repeats) {
	int64_t now_ms = clock_monotonic_ms();
	struct remembered *found = find_place(text);
	bool is_same = found->text && strcmp(found->text, text) == 0;

	*repeats = is_same ? found->repeats : 0;
	if (is_same && now_ms - found->at_ms < AGAIN_AFTER_MS) {
		found->repeats++;
		free(text);
		return true;
	}
	free(found->text);
	*found = (struct remembered){ .text = text, .at_ms = now_ms };
	return false;
}

bool refusal_is_repeated(const char *operation, const char *kind, const char *name,
			 const char *cause, unsigned *repeats) {
	bool known;

	pthread_mutex_lock(&lock);
	known = remember(x_asprintf("%s %s %s: %s", operation, kind, name, cause), repeats);
	pthread_mutex_unlock(&lock);
	return known;
}

void refusal_log_error(rd_kafka_resp_err_t err, const char *cause, const char *operation,
		       const char *kind, const char *name) {
	char principal[PRINCIPAL_BYTES];
	unsigned repeats;

	copy_principal(principal);
	if (!refusal_is_repeated(operation, kind, name, cause, &repeats))
		log_error(
		    "Kafka refuses an operation",
		    "operation=%s resource=\"%s %s\" principal=%s error=%s cause=%s repeats=%u",
		    log_quote(operation), kind, name, log_quote(principal),
		    log_quote(rd_kafka_err2str(err)), log_quote(cause), repeats);
}

bool refusal_log(rd_kafka_resp_err_t err, const char *operation, const char *kind,
		 const char *name) {
	const char *cause = refusal_cause(err);

	if (cause)
		refusal_log_error(err, cause, operation, kind, name);
	return cause;
}

char *refusal_sentence(rd_kafka_resp_err_t err, const char *operation, const char *kind,
		       const char *name) {
	char principal[PRINCIPAL_BYTES];
	const char *cause = refusal_cause(err);

	copy_principal(principal);
	return x_asprintf("Kafka refuses %s on %s %s to %s: %s%s%s", operation, kind, name,
			  principal, rd_kafka_err2str(err), cause ? "; " : "", cause ? cause : "");
}

void refusal_log_cause(const char *operation, const char *kind, const char *name,
		       const char *cause) {
	unsigned repeats;

	if (!refusal_is_repeated(operation, kind, name, cause, &repeats))
		log_warn("Kafka cannot do an operation",
			 "operation=%s resource=\"%s %s\" cause=%s repeats=%u",
			 log_quote(operation), kind, name, log_quote(cause), repeats);
}
