#include "ops/server.h"

#include "base/clock.h"
#include "ops/metrics.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>

enum {
	STUCK_AFTER_MS = 150 * 1000, /* longer than all that one turn of the pipeline may wait for */
	CONNECTIONS_MAX = 64,
	IDLE_TIMEOUT_S = 30,
	BODY_MAX = 64 * 1024 * 1024,
};

struct server {
	struct MHD_Daemon *daemon;
	const struct pipeline *pipeline;
	const struct engine *engine;
	const char *version;
};

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status, const char *type, const void *body, size_t len) {
	struct MHD_Response *response = MHD_create_response_from_buffer(len, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result respond_text(struct MHD_Connection *connection, unsigned status, const char *text) {
	return respond(connection, status, "text/plain; charset=utf-8", text, strlen(text));
}

static enum MHD_Result serve_metrics(const struct server *server, struct MHD_Connection *connection) {
	_cleanup_(buffer_destroy) struct buffer body = BUFFER_INIT(BODY_MAX);

	metrics_render(&body, server->pipeline, server->engine, server->version);
	return respond(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", body.data, body.len);
}

static enum MHD_Result serve_livez(const struct server *server, struct MHD_Connection *connection) {
	int64_t loop_at_ms = atomic_load(&pipeline_metrics(server->pipeline)->loop_at_ms);

	if (clock_monotonic_ms() - loop_at_ms > STUCK_AFTER_MS)
		return respond_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "stuck\n");
	return respond_text(connection, MHD_HTTP_OK, "ok\n");
}

static enum MHD_Result serve_readyz(const struct server *server, struct MHD_Connection *connection) {
	static const char *const words[] = {
		[PIPELINE_STARTING] = "starting\n", [PIPELINE_RESTORING] = "restoring\n", [PIPELINE_READY] = "ok\n", [PIPELINE_TORN] = "torn\n",
		[PIPELINE_FAILING] = "failing\n"
	};
	enum pipeline_readiness readiness = pipeline_readiness(server->pipeline);

	return respond_text(connection, readiness == PIPELINE_READY ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, words[readiness]);
}

static enum MHD_Result serve(void *userdata, struct MHD_Connection *connection, const char *path, const char *method,
			     const char *version _unused_, const char *upload _unused_, size_t *upload_len, void **state) {
	static int begun;
	const struct server *server = userdata;

	if (!*state) {
		*state = &begun; /* the first call has the headers only */
		return MHD_YES;
	}
	if (*upload_len) {
		*upload_len = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return respond_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed\n");
	if (strcmp(path, "/metrics") == 0)
		return serve_metrics(server, connection);
	if (strcmp(path, "/livez") == 0)
		return serve_livez(server, connection);
	if (strcmp(path, "/readyz") == 0)
		return serve_readyz(server, connection);
	return respond_text(connection, MHD_HTTP_NOT_FOUND, "not found\n");
}

static int resolve(const struct listen_address *listen, struct addrinfo **out) {
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	char port[8];
	int error;

	snprintf(port, sizeof(port), "%u", listen->port);
	error = getaddrinfo(listen->host, port, &hints, out);
	if (!error)
		return 0;
	log_error("cannot resolve the address to listen on", "key=worker.http.listen host=%s error=%s", log_quote(listen->host),
		  log_quote(gai_strerror(error)));
	return -EADDRNOTAVAIL;
}

int server_start(const struct listen_address *listen, const struct pipeline *pipeline, const struct engine *engine, const char *version,
		 struct server **out) {
	_cleanup_(server_stopp) struct server *server = x_calloc(1, sizeof(*server));
	struct addrinfo *address;
	unsigned flags = MHD_USE_AUTO_INTERNAL_THREAD;

	*server = (struct server){ .pipeline = pipeline, .engine = engine, .version = version };
	if (resolve(listen, &address) < 0)
		return -EADDRNOTAVAIL;
	if (address->ai_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	server->daemon = MHD_start_daemon(flags, listen->port, NULL, NULL, serve, server, MHD_OPTION_SOCK_ADDR, address->ai_addr,
					  MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
					  (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_END);
	freeaddrinfo(address);
	if (!server->daemon) {
		log_error("cannot listen", "key=worker.http.listen host=%s port=%u error=%s", log_quote(listen->host), listen->port,
			  log_quote(strerror(errno)));
		return -EADDRINUSE;
	}
	log_info("operations server", "host=%s port=%u", listen->host,
		 MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	*out = TAKE(server);
	return 0;
}

void server_stop(struct server *server) {
	if (!server)
		return;
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	free(server);
}
