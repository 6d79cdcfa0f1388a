#include "gateway/operations.h"

#include "base/exposition.h"
#include "gateway/parts.h"

static void append_answers(struct buffer *out, struct gateway_metrics *metrics) {
	exposition_family(out, "posthorn_gateway_answers_total", "counter",
			  "Answers, by HTTP status.");
	for (size_t status = 0; status < ARRAY_LEN(metrics->answers); status++) {
		unsigned long long count = atomic_load(&metrics->answers[status]);

		if (count)
			buffer_printf(out, "posthorn_gateway_answers_total{status=\"%zu\"} %llu\n",
				      status, count);
	}
	exposition_single(out, "posthorn_gateway_timeouts_total", "counter",
			  "Commands without an outcome in time.",
			  (int64_t)atomic_load(&metrics->timeouts));
}

static void append_history(struct buffer *out, struct history_follower *history) {
	struct history_figures figures = history_follower_figures(history);

	exposition_single(out, "posthorn_gateway_history_events_total", "counter",
			  "Events that were folded into the history.", (int64_t)figures.folded);
	exposition_single(out, "posthorn_gateway_history_bytes", "gauge",
			  "Bytes of the history's file that are in use.", figures.bytes);
	exposition_single(out, "posthorn_gateway_history_failing", "gauge",
			  "1: the history cannot be folded, and is behind.",
			  history_follower_is_failing(history));
}

static void serve_metrics(struct gateway *gateway, struct http_answer *answer) {
	struct buffer *out = &answer->body;

	http_answer_text(answer, 200, "");
	answer->content_type = EXPOSITION_CONTENT_TYPE;
	append_answers(out, &gateway->metrics);
	exposition_log_lines(out);
	exposition_disk(out, gateway->config->gateway_data_dir);
	if (!atomic_load(&gateway->is_open))
		return;
	exposition_single(out, "posthorn_gateway_pending", "gauge",
			  "Requests that wait for their outcome.",
			  (int64_t)pending_count(gateway->pending));
	exposition_single(out, "posthorn_gateway_connections", "gauge", "Open connections.",
			  http_server_connections(gateway->api));
	exposition_single(out, "posthorn_gateway_requests", "gauge",
			  "Requests in memory, from the end of their head to the end of their "
			  "answer.",
			  http_server_requests(gateway->api));
	exposition_single(out, "posthorn_gateway_tokens", "gauge", "Known tokens.",
			  (int64_t)token_store_count(gateway->tokens));
	exposition_single(out, "posthorn_gateway_catalogue_disagreements", "gauge",
			  "Partitions whose last worker has other event.types than the gateway.",
			  state_follower_disagreements(gateway->state));
	append_history(out, gateway->history);
	exposition_certificate(out, "The end of the gateway's certificate, since 1970.",
			       gateway->tls ? http_tls_expires_s(gateway->tls) : 0);
}

static void serve_readyz(struct gateway *gateway, struct http_answer *answer) {
	if (atomic_load(&gateway->draining))
		http_answer_text(answer, 503, "draining\n");
	else if (!atomic_load(&gateway->is_open))
		http_answer_text(answer, 503,
				 atomic_load(&gateway->is_refused) ? "failing\n" : "starting\n");
	else if (!state_follower_is_ready(gateway->state))
		http_answer_text(answer, 503, "starting\n");
	else if (state_follower_is_failing(gateway->state) || outcomes_failing(gateway->outcomes) ||
		 sender_is_refused(gateway->sender) || sender_is_refused(gateway->event_sender))
		http_answer_text(answer, 503, "failing\n");
	else
		http_answer_text(answer, 200, "ok\n");
}

static void serve_livez(const struct gateway *gateway, struct http_answer *answer) {
	if (atomic_load(&gateway->is_open) && http_server_is_stuck(gateway->api, GATEWAY_STUCK_MS))
		http_answer_text(answer, 503, "stuck\n");
	else
		http_answer_text(answer, 200, "ok\n");
}

static void on_request(void *userdata, struct http_request *http) {
	if (!strcmp(http->head->path, "/metrics"))
		serve_metrics(userdata, &http->answer);
	else if (!strcmp(http->head->path, "/readyz"))
		serve_readyz(userdata, &http->answer);
	else if (!strcmp(http->head->path, "/livez"))
		serve_livez(userdata, &http->answer);
	else
		http_answer_text(&http->answer, 404, "not found\n");
}

const struct http_handler operations_handler = { .on_head = http_operations_head,
						 .on_request = on_request,
						 .on_refused = http_operations_refused };
