/*
 * What the gateway's history costs: events of many deliveries are folded as a gateway does it that
 * reads the topic anew, then queries are asked, while nothing is folded and while the oldest leave.
 *
 *     bench_history FOLDER DELIVERIES
 *
 * Each delivery has four events: its command's two, its recording, and its end; one in ten is
 * answered with an error first, and one in a thousand dies. They are spread over 30 days. Prints a
 * line a figure; where the machine is shared, the CPU that a query took tells more than its time.
 * The folder's history.db is left there; where it is there already, it is asked as it is.
 */
#include "base/clock.h"
#include "base/log.h"
#include "history/query.h"
#include "history/statistics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

enum {
	TENANTS = 100,
	WEBHOOKS = 20, /* of a tenant */
	PARTITIONS = 12,
	COMMIT_EVENTS = 20000,
	QUERIES = 500,     /* of a kind */
	P50 = QUERIES / 2, /* the place of a percentile among them */
	P99 = QUERIES * 99 / 100,
	STEP_EVENTS = 5000000, /* after so many the rate is told: it must not fall with the size */
};

#define SPAN_MS (INT64_C(30) * 86400 * 1000)

static struct history *history;
static int64_t now_ms, offsets[PARTITIONS];
static uint64_t folded, deliveries;

static double cpu_s(void) {
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Evenly spread, the same in each run. */
static struct uuid hashed(uint64_t kind, uint64_t number) {
	struct uuid uuid;

	for (int i = 0; i < 2; i++) {
		uint64_t x = number * 2 + (uint64_t)i + (kind << 56);

		x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
		x ^= x >> 31;
		memcpy(uuid.bytes + (size_t)i * 8, &x, 8);
	}
	return uuid;
}

static void fold(const struct analytic_event *event, int32_t partition) {
	if (history_fold(history, event, partition, offsets[partition]++, now_ms))
		exit(1);
	if (++folded % COMMIT_EVENTS == 0 && history_commit(history))
		exit(1);
}

static bool is_retried(uint64_t number) {
	return number % 10 == 0;
}

static bool is_dead(uint64_t number) {
	return number % 1000 == 0;
}

static int64_t time_of(uint64_t number) {
	return now_ms - SPAN_MS + (int64_t)(number * (SPAN_MS / 1000) / deliveries * 1000);
}

static void name_tenant(uint64_t number, char out[32]) {
	snprintf(out, 32, "tenant-%" PRIu64, number % TENANTS);
}

static void text_of(uint64_t kind, uint64_t number, char out[UUID_TEXT_SIZE]) {
	struct uuid uuid = hashed(kind, number);

	uuid_format(&uuid, out);
}

static struct uuid webhook_of(uint64_t number) {
	return hashed('w', number % TENANTS * WEBHOOKS + number / TENANTS % WEBHOOKS);
}

/* A step of a delivery, some time after the one before. */
static void fold_step(struct analytic_event *event, uint64_t number, enum analytic_step step,
		      int32_t status) {
	static const struct attempt_response busy = { "{\"error\":\"busy\"}", "192.0.2.1", "1.1",
						      "TLSv1.3" };
	struct delivery_report *report = &event->data.delivery;
	bool is_failure = status >= 300, is_retry = step == ANALYTIC_RETRY;

	event->id = hashed((uint64_t)'5' + step, number);
	event->step = step;
	event->timestamp_ms += 40;
	event->status = report->status = status;
	report->attempt++;
	report->duration_ms = 40;
	report->attempted_at_ms = event->timestamp_ms - 40;
	report->reason = is_failure ? "status-503" : NULL;
	report->response = is_failure ? &busy : NULL;
	report->next_attempt_at_ms = is_retry ? event->timestamp_ms + 5000 : 0;
	fold(event, (int32_t)(number % TENANTS % PARTITIONS));
}

static void fold_delivery(uint64_t number) {
	char tenant[32], command[UUID_TEXT_SIZE], credential[UUID_TEXT_SIZE];
	int32_t partition = (int32_t)(number % TENANTS % PARTITIONS);
	struct analytic_event event = { .id = hashed('1', number),
					.subject = ANALYTIC_OPENID_CREDENTIAL,
					.step = ANALYTIC_START,
					.timestamp_ms = time_of(number),
					.tenant_id = tenant,
					.command_id = command };

	name_tenant(number, tenant);
	text_of('c', number, command);
	text_of('s', number, credential);
	fold(&event, partition);
	event.id = hashed('2', number);
	event.step = ANALYTIC_SUCCESS;
	event.status = 200;
	event.data = (struct event_data){ EVENT_DATA_CREDENTIAL_ISSUED,
					  .credential_issued = { credential, 1 } };
	fold(&event, partition);
	event.id = hashed('3', number);
	event.subject = ANALYTIC_WEBHOOK_EVENT;
	event.step = ANALYTIC_RECEIVE;
	event.status = 0;
	event.data = (struct event_data){ EVENT_DATA_DELIVERY,
					  .delivery = { .delivery_id = hashed('d', number),
							.webhook_id = webhook_of(number),
							.event_type = "OpenIdCredentialIssued",
							.duration_ms = -1,
							.next_attempt_at_ms = event.timestamp_ms,
							.has_event_id = true,
							.event_id = hashed('e', number),
							.subject = credential } };
	fold(&event, partition);
	if (is_retried(number))
		fold_step(&event, number, ANALYTIC_RETRY, 503);
	if (is_dead(number))
		fold_step(&event, number, ANALYTIC_PROCESS_FAIL, 503);
	else
		fold_step(&event, number, ANALYTIC_PROCESS_SUCCESS, 200);
}

static void fold_all(void) {
	double begun_s = cpu_s(), step_s = begun_s;
	int64_t begun_us = clock_monotonic_us(), step_us = begun_us;
	uint64_t told = 0;

	for (uint64_t number = 0; number < deliveries; number++) {
		fold_delivery(number);
		if (folded - told < STEP_EVENTS && number + 1 < deliveries)
			continue;
		if (history_commit(history))
			exit(1);
		printf("up to %" PRIu64 " events: %.0f a second, %.0f a second of CPU\n", folded,
		       (double)(folded - told) * 1e6 / (double)(clock_monotonic_us() - step_us),
		       (double)(folded - told) / (cpu_s() - step_s));
		fflush(stdout);
		told = folded;
		step_s = cpu_s();
		step_us = clock_monotonic_us();
	}
	printf("events folded in a second %.0f, of CPU %.0f\n",
	       (double)folded * 1e6 / (double)(clock_monotonic_us() - begun_us),
	       (double)folded / (cpu_s() - begun_s));
}

static int compare(const void *a, const void *b) {
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

typedef int (*query_fn)(const struct history_query *query, struct buffer *out);

static int ask_deliveries(const struct history_query *query, struct buffer *out) {
	return history_query_deliveries(history, query, out);
}

static int ask_events(const struct history_query *query, struct buffer *out) {
	return history_query_events(history, query, out);
}

/* By the event's id, which the delivery's is made of here. */
static int ask_one(const struct history_query *query, struct buffer *out) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	return history_query_delivery(history, query->tenant_id, &query->webhook_id, arena, out);
}

static int ask_statistics(const struct history_query *query, struct buffer *out) {
	return history_query_statistics(history, query->tenant_id, &query->webhook_id, now_ms, out);
}

static char text[UUID_TEXT_SIZE];

static void by_subject(struct history_query *query, uint64_t number) {
	text_of('s', number, text);
	query->subject = text;
}

static void by_command(struct history_query *query, uint64_t number) {
	text_of('c', number, text);
	query->command_id = text;
}

static void by_event(struct history_query *query, uint64_t number) {
	query->has_event_id = true;
	query->event_id = hashed('e', number);
}

static void by_webhook(struct history_query *query, uint64_t number) {
	query->has_webhook_id = true;
	query->webhook_id = webhook_of(number);
}

static void by_delivery(struct history_query *query, uint64_t number) {
	query->webhook_id = hashed('d', number);
}

static void by_nothing(struct history_query *query _unused_, uint64_t number _unused_) {
}

static void by_answer(struct history_query *query, uint64_t number _unused_) {
	query->http_status = 503;
}

static void by_state(struct history_query *query, uint64_t number _unused_) {
	query->has_status = true;
	query->status = HISTORY_DEAD;
}

static void by_time(struct history_query *query, uint64_t number) {
	query->to_ms = time_of(number);
}

static void by_webhook_and_answer(struct history_query *query, uint64_t number) {
	by_webhook(query, number);
	query->http_status = 503;
}

static void by_webhook_and_state(struct history_query *query, uint64_t number) {
	by_webhook(query, number);
	by_state(query, number);
}

/* What no index knows, and nothing is: the longest walk. */
static void by_webhook_and_nothing(struct history_query *query, uint64_t number) {
	by_webhook(query, number);
	query->http_status = 299;
}

static void by_rare_type(struct history_query *query, uint64_t number _unused_) {
	query->type = "WEBHOOK_DISABLED";
}

static const struct kind {
	const char *name;
	query_fn ask;
	void (*fill)(struct history_query *query, uint64_t number);
	bool is_asked_again; /* while the oldest leave */
} kinds[] = {
	{ "a delivery with its attempts", ask_one, by_delivery, true },
	{ "deliveries by subject", ask_deliveries, by_subject, true },
	{ "deliveries by command", ask_deliveries, by_command, false },
	{ "deliveries by event", ask_deliveries, by_event, false },
	{ "deliveries by webhook", ask_deliveries, by_webhook, true },
	{ "deliveries by state", ask_deliveries, by_state, false },
	{ "deliveries by HTTP status", ask_deliveries, by_answer, false },
	{ "deliveries by time", ask_deliveries, by_time, true },
	{ "deliveries, webhook and HTTP status", ask_deliveries, by_webhook_and_answer, false },
	{ "deliveries, webhook and state", ask_deliveries, by_webhook_and_state, false },
	{ "deliveries, the longest walk", ask_deliveries, by_webhook_and_nothing, true },
	{ "deliveries, the newest", ask_deliveries, by_nothing, false },
	{ "events by subject", ask_events, by_subject, true },
	{ "events by command", ask_events, by_command, false },
	{ "events by event", ask_events, by_event, false },
	{ "events by webhook", ask_events, by_webhook, true },
	{ "events by HTTP status", ask_events, by_answer, false },
	{ "events by time", ask_events, by_time, true },
	{ "events, webhook and HTTP status", ask_events, by_webhook_and_answer, false },
	{ "events, the longest walk", ask_events, by_rare_type, true },
	{ "events, the newest", ask_events, by_nothing, false },
	{ "a webhook's statistics", ask_statistics, by_webhook, true },
};

/* Any of the deliveries. */
static uint64_t chosen(uint64_t i) {
	return (i * 7919 * 104729 + 12345) % deliveries;
}

static void measure(const struct kind *kind, const char *when) {
	int64_t us[QUERIES], cpu_us[QUERIES];

	for (uint64_t i = 0; i < QUERIES; i++) {
		_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(QUERY_PAGE_BYTES_MAX);
		char tenant[32];
		struct history_query query = {
			.tenant_id = tenant, .to_ms = INT64_MAX, .before = INT64_MAX, .limit = 100
		};
		int64_t begun_us;
		double begun_s;
		int r;

		name_tenant(chosen(i), tenant);
		kind->fill(&query, chosen(i));
		begun_s = cpu_s();
		begun_us = clock_monotonic_us();
		r = kind->ask(&query, &out);
		us[i] = clock_monotonic_us() - begun_us;
		cpu_us[i] = (int64_t)((cpu_s() - begun_s) * 1e6);
		if (r < 0)
			exit(1);
	}
	qsort(us, QUERIES, sizeof(*us), compare);
	qsort(cpu_us, QUERIES, sizeof(*cpu_us), compare);
	printf("%s %-36s p50 %7.2f ms  p99 %7.2f ms  p99 of CPU %6.2f ms\n", when, kind->name,
	       (double)us[P50] / 1000, (double)us[P99] / 1000, (double)cpu_us[P99] / 1000);
	fflush(stdout);
}

static atomic_bool stopping;

/* As a gateway does it, for which the oldest day is over. */
static void *prune(void *userdata _unused_) {
	double begun_s = cpu_s();
	int steps = 0;

	while (!atomic_load(&stopping) &&
	       history_prune(history, now_ms - SPAN_MS + INT64_C(365) * 86400 * 1000 +
					  steps * INT64_C(60) * 1000) >= 0)
		steps++;
	printf("an hour's deliveries leave in %.2f s of CPU\n", (cpu_s() - begun_s) * 60 / steps);
	return NULL;
}

static int ask_all(void) {
	pthread_t thread;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		measure(&kinds[i], "query      ");
	if (pthread_create(&thread, NULL, prune, NULL))
		return 1;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].is_asked_again)
			measure(&kinds[i], "and pruning");
	atomic_store(&stopping, true);
	return pthread_join(thread, NULL);
}

int main(int argc, char **argv) {
	const struct history_settings settings = { .data_dir = argc > 1 ? argv[1] : NULL,
						   .retention_ms = INT64_C(365) * 86400 * 1000,
						   .bytes_max = INT64_C(1) << 50 };
	struct rusage usage;
	int r;

	deliveries = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	if (!deliveries) {
		fprintf(stderr, "usage: bench_history FOLDER DELIVERIES\n");
		return 2;
	}
	log_configure(LOG_LEVEL_WARN, LOG_FORMAT_LOGFMT);
	if (history_open(&settings, &history))
		return 1;
	now_ms = clock_wall_ms();
	if (history_bytes(history) < 1048576)
		fold_all();
	printf("bytes of the file for a million deliveries %.0f MiB\n",
	       (double)history_bytes(history) / (double)deliveries * 1e6 / 1048576);
	r = ask_all();
	getrusage(RUSAGE_SELF, &usage);
	printf("memory at its peak %.0f MiB\n", (double)usage.ru_maxrss / 1024);
	history_close(history);
	return r != 0;
}
