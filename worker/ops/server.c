#include "ops/server.h"

#include "base/clock.h"
#include "base/exposition.h"
#include "base/log.h"
#include "http/operations.h"
#include "http/server.h"
#include "ops/metrics.h"

enum {
	STUCK_AFTER_MS = 150 * 1000 /* longer than any wait inside one turn of the pipeline */
};

struct server {
	struct http_server *http;
	const struct pipeline *pipeline;
	const struct engine *engine;
	const char *version;
};

static void serve_metrics(const struct server *server, struct http_answer *answer) {
	http_answer_text(answer, 200, "");
	answer->content_type = EXPOSITION_CONTENT_TYPE;
	metrics_render(&answer->body, server->pipeline, server->engine, server->version);
}

static void serve_livez(const struct server *server, struct http_answer *answer) {
	int64_t loop_at_ms = atomic_load(&pipeline_metrics(server->pipeline)->loop_at_ms);

	if (clock_monotonic_ms() - loop_at_ms > STUCK_AFTER_MS)
		http_answer_text(answer, 503, "stuck\n");
	else
		http_answer_text(answer, 200, "ok\n");
}

static void serve_readyz(const struct server *server, struct http_answer *answer) {
	static const char *const words[] = { [PIPELINE_STARTING] = "starting\n",
					     [PIPELINE_RESTORING] = "restoring\n",
					     [PIPELINE_READY] = "ok\n",
					     [PIPELINE_TORN] = "torn\n",
					     [PIPELINE_FAILING] = "failing\n" };
	enum pipeline_readiness readiness = pipeline_readiness(server->pipeline);

	http_answer_text(answer, readiness == PIPELINE_READY ? 200 : 503, words[readiness]);
}

static void on_request(void *userdata, struct http_request *http) {
	const struct server *server = userdata;

	if (!strcmp(http->head->path, "/metrics"))
		serve_metrics(server, &http->answer);
	else if (!strcmp(http->head->path, "/livez"))
		serve_livez(server, &http->answer);
	else if (!strcmp(http->head->path, "/readyz"))
		serve_readyz(server, &http->answer);
	else
		http_answer_text(&http->answer, 404, "not found\n");
}

int server_start(const struct listen_address *listen, const struct pipeline *pipeline,
		 const struct engine *engine, const char *version, struct server **out) {
	_cleanup_(server_stopp) struct server *server = x_calloc(1, sizeof(*server));
	const struct http_handler handler = { http_operations_head, on_request,
					      http_operations_refused, server };
	const struct http_options options =
	    http_operations_options("worker.http.listen", listen, &handler);
	int r;

	*server = (struct server){ .pipeline = pipeline, .engine = engine, .version = version };
	r = http_server_start(&options, &server->http);
	if (r)
		return r;
	log_info("operations server started", "host=%s port=%u", listen->host,
		 http_server_port(server->http));
	*out = TAKE(server);
	return 0;
}

void server_stop(struct server *server) {
	if (!server)
		return;
	http_server_free(server->http);
	free(server);
}
