#include "pipeline/brokers.h"

#include "base/clock.h"
#include "pipeline/wake.h"
#include "rdkafka/refusal.h"

#include <errno.h>

enum {
	ANSWER_TIMEOUT_MS = 5000,
	PAUSE_MIN_MS = 500,
	PAUSE_MAX_MS = 5000,
	LISTEN_INTERVAL_MS = 100,
};

bool brokers_refuse_login(struct brokers *b, int64_t now_ms) {
	bool is_refused = client_take_refused_login();

	if (is_refused)
		b->login_refused_at_ms = now_ms;
	if (is_refused || now_ms - b->login_refused_at_ms > REFUSAL_LOGIN_MENDED_AFTER_MS)
		metric_refuse(b->metrics, METRIC_REFUSED_LOGIN, is_refused);
	return atomic_load(&b->metrics->refused) & METRIC_REFUSED_LOGIN;
}

static void explain_no_answer(const struct brokers *b) {
	const char *servers = config_kafka_get(b->config, "bootstrap.servers");

	refusal_log_cause("Connect", "brokers", servers ? servers : "",
			  REFUSAL_SILENCE "; it is tried again by itself");
}

/*
 * A pause that grows. The consumer is listened to meanwhile: librdkafka asks for the group's
 * coordinator at once, and tells only once that it is refused.
 */
static void wait_longer(struct brokers *b) {
	backoff_fail(&b->backoff, clock_monotonic_ms(), PAUSE_MIN_MS, PAUSE_MAX_MS);
	atomic_store(&b->metrics->repairs_in_a_row, b->backoff.failures);
	while (!atomic_load(b->stopping) && !backoff_is_over(&b->backoff, clock_monotonic_ms())) {
		int64_t left_ms = b->backoff.until_ms - clock_monotonic_ms();

		wake_wait(b->wake_fd, MIN(left_ms, (int64_t)LISTEN_INTERVAL_MS));
		membership_poll(b->membership);
	}
}

/* Returns 0, TOPICS_E_REFUSED, or a negative errno where it is to be tried again. */
static int ask(struct brokers *b, int32_t *partition_count) {
	rd_kafka_t *client = membership_client(b->membership);
	int r = topics_check(b->topics, client, ANSWER_TIMEOUT_MS, partition_count);
	bool is_refused;

	atomic_store(&b->metrics->loop_at_ms, clock_monotonic_ms());
	membership_poll(b->membership);
	is_refused = brokers_refuse_login(b, clock_monotonic_ms());
	metric_refuse(b->metrics, METRIC_REFUSED_TOPICS, r == -EACCES);
	if (r == -ETIMEDOUT && !is_refused)
		explain_no_answer(b);
	return r;
}

int brokers_wait_for_topics(struct brokers *b, int32_t *partition_count) {
	int r;

	while ((r = ask(b, partition_count)) < 0) {
		if (atomic_load(b->stopping))
			return -ECANCELED;
		wait_longer(b);
	}
	if (r == TOPICS_E_REFUSED)
		return -EPERM;
	metric_refuse(b->metrics, METRIC_REFUSED_LOGIN, false);
	backoff_clear(&b->backoff);
	atomic_store(&b->metrics->repairs_in_a_row, 0);
	return 0;
}
