#include "gateway/operations.h"

#include "base/log.h"
#include "gateway/parts.h"

static void append_gauge(struct buffer *out, const char *name, const char *help, double value) {
	buffer_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %.0f\n", name, help, name, name,
		      value);
}

static void append_answers(struct buffer *out, struct gateway_metrics *metrics) {
	buffer_append_string(out, "# HELP posthorn_gateway_answers_total Answers, by HTTP "
				  "status.\n# TYPE posthorn_gateway_answers_total counter\n");
	for (size_t status = 0; status < ARRAY_LEN(metrics->answers); status++) {
		unsigned long long count = atomic_load(&metrics->answers[status]);

		if (count)
			buffer_printf(out, "posthorn_gateway_answers_total{status=\"%zu\"} %llu\n",
				      status, count);
	}
	buffer_printf(out,
		      "# HELP posthorn_gateway_timeouts_total Commands without an outcome in "
		      "time.\n# TYPE posthorn_gateway_timeouts_total counter\n"
		      "posthorn_gateway_timeouts_total %llu\n",
		      atomic_load(&metrics->timeouts));
}

static void serve_metrics(struct gateway *gateway, struct http_answer *answer) {
	struct buffer *out = &answer->body;

	http_answer_text(answer, 200, "");
	answer->content_type = "text/plain; version=0.0.4; charset=utf-8";
	append_answers(out, &gateway->metrics);
	append_gauge(out, "posthorn_gateway_pending", "Requests that wait for their outcome.",
		     (double)pending_count(gateway->pending));
	append_gauge(out, "posthorn_gateway_connections", "Open connections.",
		     http_server_connections(gateway->api));
	append_gauge(out, "posthorn_gateway_requests",
		     "Requests of which anything is in memory, from the end of their head to the "
		     "end of their answer.",
		     http_server_requests(gateway->api));
	append_gauge(out, "posthorn_gateway_tokens", "Tokens that are known.",
		     (double)token_store_count(gateway->tokens));
	buffer_printf(out,
		      "# HELP posthorn_log_lines_dropped_total Log lines that were dropped because "
		      "nobody read them.\n"
		      "# TYPE posthorn_log_lines_dropped_total "
		      "counter\nposthorn_log_lines_dropped_total %llu\n",
		      (unsigned long long)log_dropped());
	append_gauge(out, "posthorn_gateway_event_index_bytes",
		     "Memory of the events that are kept.",
		     (double)event_index_bytes(gateway->events));
}

static void serve_readyz(struct gateway *gateway, struct http_answer *answer) {
	if (atomic_load(&gateway->draining))
		http_answer_text(answer, 503, "draining\n");
	else if (!state_follower_is_ready(gateway->state))
		http_answer_text(answer, 503, "starting\n");
	else if (state_follower_is_failing(gateway->state) || outcomes_failing(gateway->outcomes))
		http_answer_text(answer, 503, "failing\n");
	else
		http_answer_text(answer, 200, "ok\n");
}

static void on_request(void *userdata, struct http_request *http) {
	if (!strcmp(http->head->path, "/metrics"))
		serve_metrics(userdata, &http->answer);
	else if (!strcmp(http->head->path, "/readyz"))
		serve_readyz(userdata, &http->answer);
	else if (!strcmp(http->head->path, "/livez"))
		http_answer_text(&http->answer, 200, "ok\n");
	else
		http_answer_text(&http->answer, 404, "not found\n");
}

const struct http_handler operations_handler = { .on_head = http_operations_head,
						 .on_request = on_request,
						 .on_refused = http_operations_refused };
