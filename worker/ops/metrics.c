#include "ops/metrics.h"

#include "base/exposition.h"
#include "ops/metrics_process.h"
#include "pipeline/input_topics.h"
#include "rdkafka/topic_names.h"

#include <inttypes.h>

static uint64_t load(const atomic_uint_fast64_t *counter) {
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* The input topic as a label, without topic.prefix. */
static const char *input_name(int input) {
	return topic_base_name(input_topic((enum input)input));
}

static void render_commands(struct buffer *out, const struct pipeline_metrics *metrics) {
	static const char *const outcomes[] = { "success", "fail", "repeat", "dead_letter" };

	exposition_family(out, "posthorn_commands_total", "counter",
			  "Commands processed, by input topic and outcome.");
	for (int topic = 0; topic < METRIC_INPUT_COUNT; topic++)
		for (int outcome = 0; outcome < METRIC_COMMAND_COUNT; outcome++)
			buffer_printf(
			    out,
			    "posthorn_commands_total{topic=\"%s\",outcome=\"%s\"} %" PRIu64 "\n",
			    input_name(topic), outcomes[outcome],
			    load(&metrics->commands[topic][outcome]));
}

static void render_rerouted(struct buffer *out, const struct pipeline_metrics *metrics) {
	exposition_family(
	    out, "posthorn_records_rerouted_total", "counter",
	    "Records of an input that were handed on to the partition of their key: their producer "
	    "has another partitioner than murmur2_random.");
	for (int i = 0; i < METRIC_INPUT_COUNT; i++)
		buffer_printf(out, "posthorn_records_rerouted_total{topic=\"%s\"} %" PRIu64 "\n",
			      input_name(i), load(&metrics->rerouted[i]));
}

static void render_group(struct buffer *out, const struct pipeline_metrics *metrics) {
	exposition_single(out, "posthorn_group_older_workers", "gauge",
			  "Workers of the group that cannot read the newest edition of the "
			  "changelog; -1 where it is not known.",
			  atomic_load_explicit(&metrics->older_workers, memory_order_relaxed));
	exposition_single(out, "posthorn_catalogue_disagreements_total", "counter",
			  "Partitions taken over from a worker with other event.types.",
			  (int64_t)load(&metrics->catalogue_disagreements));
}

static void render_notices(struct buffer *out, const struct pipeline_metrics *metrics) {
	static const char *const results[] = { "told", "left_out" };

	exposition_family(out, "posthorn_notices_total", "counter",
			  "Notices to tenants of their webhooks and deliveries. One is left out "
			  "within an hour of the one before, or beyond a limit.");
	for (int type = EVENT_TYPE_CREDENTIAL_COUNT; type < EVENT_TYPE_BUILTIN_COUNT; type++)
		for (int result = 0; result < METRIC_NOTICE_COUNT; result++)
			buffer_printf(
			    out, "posthorn_notices_total{type=\"%s\",result=\"%s\"} %" PRIu64 "\n",
			    event_type_builtin_name((enum event_type_builtin)type), results[result],
			    load(&metrics->notices[type][result]));
}

static void render_deliveries(struct buffer *out, const struct pipeline_metrics *metrics) {
	static const char *const outcomes[] = { "recorded",  "succeeded", "retried",  "dead",
						"withdrawn", "resent",    "discarded" };

	exposition_family(
	    out, "posthorn_deliveries_total", "counter",
	    "Deliveries recorded, and outcomes of their attempts. A discarded attempt is made "
	    "again by the partition's new owner.");
	for (int i = 0; i < METRIC_DELIVERY_COUNT; i++)
		buffer_printf(out, "posthorn_deliveries_total{outcome=\"%s\"} %" PRIu64 "\n",
			      outcomes[i], load(&metrics->deliveries[i]));
}

static void render_transactions(struct buffer *out, const struct pipeline_metrics *metrics) {
	static const char *const outcomes[] = { "committed", "aborted", "unknown" };
	uint64_t counts[METRIC_TRANSACTION_BUCKETS + 1];

	exposition_family(out, "posthorn_transactions_total", "counter",
			  "Kafka transactions, by outcome.");
	for (int i = 0; i < METRIC_TRANSACTION_COUNT; i++)
		buffer_printf(out, "posthorn_transactions_total{outcome=\"%s\"} %" PRIu64 "\n",
			      outcomes[i], load(&metrics->transactions[i]));
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		counts[i] = load(&metrics->transaction_buckets[i]);
	exposition_histogram(
	    out, "posthorn_transaction_seconds",
	    "Seconds to flush, send offsets and commit, of committed transactions.",
	    &(struct exposition_histogram){ metric_transaction_seconds, METRIC_TRANSACTION_BUCKETS,
					    counts, (double)load(&metrics->transaction_us) / 1e6 });
}

static void render_throttle(struct buffer *out, const struct pipeline_metrics *metrics) {
	exposition_family(out, "posthorn_throttled_seconds_total", "counter",
			  "Seconds for which brokers throttled the worker's writes by a quota, as "
			  "they report it.");
	buffer_printf(out, "posthorn_throttled_seconds_total %.3f\n",
		      (double)load(&metrics->throttled_ms) / 1000);
	exposition_single(out, "posthorn_transaction_max_bytes", "gauge",
			  "Bytes at which a transaction takes no more commands: fewer where the "
			  "brokers took few in good time.",
			  (int64_t)load(&metrics->turn_bytes));
}

static void render_attempts(struct buffer *out, const struct engine *engine) {
	static const char *const results[ATTEMPT_REASON_COUNT] = {
		[ATTEMPT_OK] = "ok",
		[ATTEMPT_STATUS] = "status",
		[ATTEMPT_TIMEOUT] = "timeout",
		[ATTEMPT_CONNECT] = "connect",
		[ATTEMPT_DNS] = "dns",
		[ATTEMPT_TLS] = "tls",
		[ATTEMPT_ADDRESS_REFUSED] = "address_refused",
		[ATTEMPT_PROTOCOL] = "protocol",
		[ATTEMPT_INTERNAL] = "internal",
		[ATTEMPT_PROXY_CONNECT] = "proxy_connect",
		[ATTEMPT_PROXY_REFUSED] = "proxy_refused",
		[ATTEMPT_PROXY_GATEWAY] = "proxy_gateway",
		[ATTEMPT_PROXY_BROKEN] = "proxy_broken",
	};
	const struct engine_counters *counters = engine_counters(engine);
	uint64_t counts[ENGINE_BUCKET_COUNT + 1];
	struct exposition_histogram seconds = { engine_bucket_seconds, ENGINE_BUCKET_COUNT, counts,
						0 };

	exposition_family(out, "posthorn_attempts_total", "counter", "Attempts made, by result.");
	for (int i = 0; i < ATTEMPT_REASON_COUNT; i++)
		buffer_printf(out, "posthorn_attempts_total{result=\"%s\"} %" PRIu64 "\n",
			      results[i], load(&counters->attempts[i]));
	engine_histogram(engine, counts, &seconds.sum);
	exposition_histogram(out, "posthorn_attempt_seconds", "Duration of an attempt.", &seconds);
	exposition_single(out, "posthorn_attempts_in_flight", "gauge", "Attempts in flight.",
			  atomic_load(&counters->in_flight));
	exposition_single(out, "posthorn_attempts_queued", "gauge",
			  "Deliveries queued in the engine.", atomic_load(&counters->queued));
	exposition_single(out, "posthorn_connections", "gauge", "Connections to endpoints' hosts.",
			  atomic_load(&counters->connections));
	exposition_single(out, "posthorn_connections_opened_total", "counter",
			  "Connections opened to endpoints' hosts.",
			  (int64_t)load(&counters->connections_opened));
	exposition_single(out, "posthorn_proxy_failing", "gauge",
			  "1 while endpoint.proxy is not reached: attempts through it wait.",
			  engine_proxy_fails(engine));
}

static void render_partition_gauge(struct buffer *out, const struct pipeline_metrics *metrics,
				   const char *name, const char *help, size_t offset) {
	exposition_family(out, name, "gauge", help);
	for (int32_t i = 0; i < metrics->partition_count; i++) {
		const atomic_int_fast64_t *value =
		    (const void *)((const char *)&metrics->partitions[i] + offset);

		if (atomic_load(&metrics->partitions[i].state) != PARTITION_ABSENT)
			buffer_printf(out, "%s{partition=\"%d\"} %" PRIdFAST64 "\n", name, i,
				      atomic_load_explicit(value, memory_order_relaxed));
	}
}

static void render_lag(struct buffer *out, const struct pipeline_metrics *metrics) {

	exposition_family(out, "posthorn_consumer_lag", "gauge",
			  "Unprocessed records of an input partition; absent while unknown.");
	for (int32_t i = 0; i < metrics->partition_count; i++)
		for (int topic = 0; topic < METRIC_INPUT_COUNT; topic++) {
			int64_t lag = atomic_load(&metrics->partitions[i].lag[topic]);

			if (lag >= 0)
				buffer_printf(
				    out,
				    "posthorn_consumer_lag{topic=\"%s\",partition=\"%d\"} %" PRId64
				    "\n",
				    input_name(topic), i, lag);
		}
}

static void render_lost(struct buffer *out, const struct pipeline_metrics *metrics) {

	exposition_family(
	    out, "posthorn_inputs_lost_total", "counter",
	    "Times that the next records of an input did not exist: deleted before they were "
	    "read, or truncated.");
	for (int i = 0; i < METRIC_INPUT_COUNT; i++)
		buffer_printf(out, "posthorn_inputs_lost_total{topic=\"%s\"} %" PRIu64 "\n",
			      input_name(i), load(&metrics->inputs_lost[i]));
	exposition_family(
	    out, "posthorn_records_lost_total", "counter",
	    "Offsets of an input that were deleted before they were read. Truncated ones are "
	    "not counted.");
	for (int i = 0; i < METRIC_INPUT_COUNT; i++)
		buffer_printf(out, "posthorn_records_lost_total{topic=\"%s\"} %" PRIu64 "\n",
			      input_name(i), load(&metrics->records_lost[i]));
}

static void render_partitions(struct buffer *out, const struct pipeline_metrics *metrics) {
	exposition_family(out, "posthorn_partition_state", "gauge",
			  "1 for the present state of an assigned partition.");
	for (int32_t i = 0; i < metrics->partition_count; i++) {
		enum partition_state state =
		    (enum partition_state)atomic_load(&metrics->partitions[i].state);

		if (state != PARTITION_ABSENT)
			buffer_printf(out,
				      "posthorn_partition_state{partition=\"%d\",state=\"%s\"} 1\n",
				      i, partition_state_name(state));
	}
	render_lag(out, metrics);
	render_partition_gauge(out, metrics, "posthorn_deliveries_pending",
			       "Pending deliveries of a partition.",
			       offsetof(struct partition_metrics, pending));
	render_partition_gauge(out, metrics, "posthorn_restore_offset",
			       "The changelog offset that a partition's restore has reached.",
			       offsetof(struct partition_metrics, restore.offset));
	render_partition_gauge(out, metrics, "posthorn_restore_target_offset",
			       "The changelog offset at which a partition's restore ends.",
			       offsetof(struct partition_metrics, restore.target));
	exposition_single(out, "posthorn_restored_records_total", "counter",
			  "Changelog records written to the replica by restores.",
			  (int64_t)load(&metrics->restore.records));
	exposition_family(out, "posthorn_restore_longest_step_seconds", "gauge",
			  "The longest time that one step of a restore has delayed turns.");
	buffer_printf(out, "posthorn_restore_longest_step_seconds %.3f\n",
		      (double)atomic_load(&metrics->restore_step_longest_ms) / 1000);
}

static void render_refusals(struct buffer *out, const struct pipeline_metrics *metrics) {
	exposition_family(
	    out, "posthorn_refused_by_limit_total", "counter",
	    "Commands refused because of a limit of their tenant, by the limit's key.");
	for (int i = TENANT_LIMIT_NONE + 1; i < TENANT_LIMIT_COUNT; i++)
		buffer_printf(out, "posthorn_refused_by_limit_total{limit=\"%s\"} %" PRIu64 "\n",
			      tenant_limit_key((enum tenant_limit)i),
			      load(&metrics->refused_by_limit[i]));
}

static void render_refused(struct buffer *out, const struct pipeline_metrics *metrics) {
	static const struct {
		enum metric_refused what;
		const char *name;
	} rows[] = { { METRIC_REFUSED_LOGIN, "login" },
		     { METRIC_REFUSED_TOPICS, "topics" },
		     { METRIC_REFUSED_INPUT, "input" },
		     { METRIC_REFUSED_CHANGELOG, "changelog" },
		     { METRIC_REFUSED_TRANSACTIONS, "transactions" },
		     { METRIC_REFUSED_OUTPUT, "output" },
		     { METRIC_REFUSED_DEAD_LETTERS, "dead_letters" } };
	unsigned refused = metric_refusals(metrics);

	exposition_family(
	    out, "posthorn_kafka_refused", "gauge",
	    "1 while Kafka refuses something that the worker needs. /readyz says failing "
	    "meanwhile, and the log has the cause.");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		buffer_printf(out, "posthorn_kafka_refused{what=\"%s\"} %d\n", rows[i].name,
			      (refused & rows[i].what) != 0);
	exposition_single(
	    out, "posthorn_repairs_in_a_row", "gauge",
	    "Consecutive failures of a repair that the worker retries; 0: none fails.",
	    atomic_load(&metrics->repairs_in_a_row));
}

static void render_registry(struct buffer *out, const struct pipeline_metrics *metrics) {
	static const char *const results[] = { "ok", "unknown", "failed" };
	const struct registry_metrics *registry = &metrics->registry;

	exposition_family(out, "posthorn_schema_registry_requests_total", "counter",
			  "Requests to the schema registry, by result.");
	for (int i = 0; i < REGISTRY_REQUEST_COUNT; i++)
		buffer_printf(
		    out, "posthorn_schema_registry_requests_total{result=\"%s\"} %" PRIu64 "\n",
		    results[i], load(&registry->requests[i]));
	exposition_single(
	    out, "posthorn_schema_registry_failures_in_a_row", "gauge",
	    "Consecutive requests to the schema registry that failed; 0: it answers. "
	    "From 3 on /readyz says failing.",
	    MAX(atomic_load(&registry->failures), atomic_load(&registry->results_failures)));
	exposition_single(out, "posthorn_schema_ids_waiting", "gauge",
			  "Schema ids that the schema registry was asked for and has not told.",
			  atomic_load(&registry->waiting));
	exposition_single(out, "posthorn_inputs_waiting", "gauge",
			  "Input partitions whose next record waits for the schema registry.",
			  atomic_load(&metrics->inputs_held));
}

void metrics_render(struct buffer *out, const struct pipeline *pipeline,
		    const struct engine *engine, const char *version) {
	const struct pipeline_metrics *metrics = pipeline_metrics(pipeline);

	render_commands(out, metrics);
	render_rerouted(out, metrics);
	render_lost(out, metrics);
	render_deliveries(out, metrics);
	exposition_single(out, "posthorn_deliveries_filtered_total", "counter",
			  "Deliveries that a webhook's filter left out.",
			  (int64_t)load(&metrics->filtered));
	render_notices(out, metrics);
	render_group(out, metrics);
	render_transactions(out, metrics);
	render_throttle(out, metrics);
	render_attempts(out, engine);
	exposition_certificate(out, "The end of the client certificate for endpoints, since 1970.",
			       engine_certificate_expires_s(engine));
	exposition_single(out, "posthorn_deliveries_in_memory", "gauge",
			  "Pending deliveries in memory; the others wait in the replica.",
			  atomic_load(&metrics->dispatch.outstanding));
	exposition_single(out, "posthorn_endpoints_pending", "gauge",
			  "Webhooks with deliveries in memory or due in the replica.",
			  atomic_load(&metrics->dispatch.endpoints));
	exposition_single(out, "posthorn_endpoints_failing", "gauge",
			  "Endpoints whose breaker is open: only probes go to them.",
			  atomic_load(&metrics->dispatch.open_breakers));
	exposition_single(
	    out, "posthorn_webhooks_disabled_total", "counter",
	    "Webhooks disabled because their endpoint is gone or failed for too long.",
	    (int64_t)load(&metrics->webhooks_disabled));
	render_refusals(out, metrics);
	render_refused(out, metrics);
	render_registry(out, metrics);
	render_partitions(out, metrics);
	exposition_disk(out, pipeline_data_dir(pipeline));
	metrics_process_render(out, version);
}
