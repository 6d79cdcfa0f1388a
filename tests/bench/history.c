/*
 * What the gateway's history costs: events of many deliveries are folded as a gateway does it, then
 * queries are asked while nothing is folded.
 *
 *     bench_history FOLDER DELIVERIES
 *
 * Each delivery has four events: its command's two, its recording, and its end; one in ten is
 * answered with an error first. Prints a line a figure; where the machine is shared, the CPU that a
 * query took tells more than its time. The folder's history.db is left there.
 */
#include "base/clock.h"
#include "base/log.h"
#include "history/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

enum {
	TENANTS = 100,
	WEBHOOKS = 20, /* of a tenant */
	PARTITIONS = 12,
	COMMIT_EVENTS = 5000,
	QUERIES = 500, /* of a kind */
};

static struct history *history;
static int64_t now_ms, offsets[PARTITIONS];
static uint64_t folded;

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

static void name_tenant(uint64_t number, char out[32]) {
	snprintf(out, 32, "tenant-%" PRIu64, number % TENANTS);
}

static void text_of(uint64_t kind, uint64_t number, char out[UUID_TEXT_SIZE]) {
	struct uuid uuid = hashed(kind, number);

	uuid_format(&uuid, out);
}

static void fold_delivery(uint64_t number) {
	char tenant[32], command[UUID_TEXT_SIZE], credential[UUID_TEXT_SIZE];
	static const struct attempt_response busy = { "{\"error\":\"busy\"}", "192.0.2.1", "1.1",
						      "TLSv1.3" };
	int32_t partition = (int32_t)(number % TENANTS % PARTITIONS);
	struct analytic_event event = { .subject = ANALYTIC_OPENID_CREDENTIAL,
					.step = ANALYTIC_START,
					.timestamp_ms = now_ms,
					.tenant_id = tenant,
					.command_id = command };
	struct delivery_report *report = &event.data.delivery;

	name_tenant(number, tenant);
	text_of('c', number, command);
	text_of('s', number, credential);
	event.id = hashed('1', number);
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
							.webhook_id = hashed(
							    'w', number % TENANTS * WEBHOOKS +
								     number / TENANTS % WEBHOOKS),
							.event_type = "OpenIdCredentialIssued",
							.duration_ms = -1,
							.next_attempt_at_ms = now_ms,
							.has_event_id = true,
							.event_id = hashed('e', number),
							.subject = credential } };
	fold(&event, partition);
	report->next_attempt_at_ms = 0;
	report->duration_ms = 40;
	report->attempted_at_ms = now_ms;
	if (number % 10 == 0) {
		event.id = hashed('4', number);
		event.step = ANALYTIC_RETRY;
		event.status = report->status = 503;
		report->attempt = 1;
		report->reason = "status-503";
		report->next_attempt_at_ms = now_ms + 5000;
		report->response = &busy;
		fold(&event, partition);
		report->reason = NULL;
		report->response = NULL;
		report->next_attempt_at_ms = 0;
	}
	event.id = hashed('5', number);
	event.step = ANALYTIC_PROCESS_SUCCESS;
	event.status = report->status = 200;
	report->attempt = 1 + (number % 10 == 0);
	fold(&event, partition);
	now_ms += number % 5 == 0;
}

static int compare(const void *a, const void *b) {
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

typedef int (*query_fn)(struct history *history, const struct history_query *query,
			struct buffer *out);

/* `fill` sets the query's filter for a delivery that is there. */
static void measure(const char *name, uint64_t deliveries, query_fn ask,
		    void (*fill)(struct history_query *query, uint64_t number)) {
	int64_t us[QUERIES], cpu_us[QUERIES];

	for (uint64_t i = 0; i < QUERIES; i++) {
		_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(QUERY_PAGE_BYTES_MAX);
		uint64_t number = i * 7919 * 31 % deliveries;
		char tenant[32];
		struct history_query query = {
			.tenant_id = tenant, .to_ms = INT64_MAX, .before = INT64_MAX, .limit = 100
		};
		int64_t begun_us;
		double begun_s;

		name_tenant(number, tenant);
		fill(&query, number);
		begun_s = cpu_s();
		begun_us = clock_monotonic_us();
		if (ask(history, &query, &out))
			exit(1);
		us[i] = clock_monotonic_us() - begun_us;
		cpu_us[i] = (int64_t)((cpu_s() - begun_s) * 1e6);
	}
	qsort(us, QUERIES, sizeof(*us), compare);
	qsort(cpu_us, QUERIES, sizeof(*cpu_us), compare);
	printf("query %-28s p50 %6.2f ms  p99 %6.2f ms  p99 of CPU %6.2f ms\n", name,
	       (double)us[QUERIES / 2] / 1000, (double)us[QUERIES * 99 / 100] / 1000,
	       (double)cpu_us[QUERIES * 99 / 100] / 1000);
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
	query->webhook_id = hashed('w', number % TENANTS * WEBHOOKS + number / TENANTS % WEBHOOKS);
}

static void by_nothing(struct history_query *query _unused_, uint64_t number _unused_) {
}

static void by_rare_answer(struct history_query *query, uint64_t number _unused_) {
	query->http_status = 418;
}

static void by_state(struct history_query *query, uint64_t number _unused_) {
	query->has_status = true;
	query->status = HISTORY_DEAD;
}

static void by_webhook_and_answer(struct history_query *query, uint64_t number) {
	by_webhook(query, number);
	query->http_status = 299;
}

int main(int argc, char **argv) {
	const struct history_settings settings = { .data_dir = argc > 1 ? argv[1] : NULL,
						   .retention_ms = INT64_C(365) * 86400 * 1000,
						   .bytes_max = INT64_C(1) << 50 };
	uint64_t deliveries = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	struct rusage usage;
	double begun_s, wall_s;
	int64_t begun_us;

	if (!deliveries) {
		fprintf(stderr, "usage: bench_history FOLDER DELIVERIES\n");
		return 2;
	}
	log_configure(LOG_LEVEL_WARN, LOG_FORMAT_LOGFMT);
	if (history_open(&settings, &history))
		return 1;
	now_ms = clock_wall_ms() - (int64_t)(deliveries / 5);
	begun_s = cpu_s();
	begun_us = clock_monotonic_us();
	for (uint64_t number = 0; number < deliveries; number++)
		fold_delivery(number);
	if (history_commit(history))
		return 1;
	wall_s = (double)(clock_monotonic_us() - begun_us) / 1e6;
	printf("events %" PRIu64 ", folded in %.1f s of wall, %.1f s of CPU\n", folded, wall_s,
	       cpu_s() - begun_s);
	printf("events folded in a second of CPU %.0f\n", (double)folded / (cpu_s() - begun_s));
	printf("bytes of the file for a million deliveries %.0f MiB\n",
	       (double)history_bytes(history) / (double)deliveries * 1e6 / 1048576);
	measure("deliveries by subject", deliveries, history_query_deliveries, by_subject);
	measure("deliveries by command", deliveries, history_query_deliveries, by_command);
	measure("deliveries by event", deliveries, history_query_deliveries, by_event);
	measure("deliveries by webhook", deliveries, history_query_deliveries, by_webhook);
	measure("deliveries by state", deliveries, history_query_deliveries, by_state);
	measure("deliveries by HTTP status", deliveries, history_query_deliveries, by_rare_answer);
	measure("deliveries, two filters", deliveries, history_query_deliveries,
		by_webhook_and_answer);
	measure("deliveries, the newest", deliveries, history_query_deliveries, by_nothing);
	measure("events by subject", deliveries, history_query_events, by_subject);
	measure("events by command", deliveries, history_query_events, by_command);
	measure("events by webhook", deliveries, history_query_events, by_webhook);
	measure("events, the newest", deliveries, history_query_events, by_nothing);
	getrusage(RUSAGE_SELF, &usage);
	printf("memory at its peak %.0f MiB\n", (double)usage.ru_maxrss / 1024);
	history_close(history);
	return 0;
}
