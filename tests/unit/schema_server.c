#include "schema_server.h"

#include "unit.h"

#include <stdio.h>
#include <unistd.h>

static void copy(char *out, size_t size, const char *text) {
	snprintf(out, size, "%s", text ? text : "");
}

static void on_head(void *userdata _unused_, struct http_request *request _unused_) {
}

static void on_request(void *userdata, struct http_request *request) {
	struct schema_server *server = userdata;
	int64_t delay_ms;

	pthread_mutex_lock(&server->lock);
	copy(server->path, sizeof(server->path), request->head->path);
	copy(server->method, sizeof(server->method), request->head->method);
	copy(server->authorization, sizeof(server->authorization),
	     http_request_header(request, "authorization"));
	copy(server->received, sizeof(server->received), request->body.data);
	http_answer_text(&request->answer, server->status, server->body);
	delay_ms = server->delay_ms;
	pthread_mutex_unlock(&server->lock);
	atomic_fetch_add(&server->requests, 1);
	if (delay_ms > 0)
		usleep((useconds_t)delay_ms * 1000);
}

static void on_refused(void *userdata _unused_, struct http_request *request, int status,
		       const char *message) {
	http_answer_text(&request->answer, status, message);
}

void schema_server_start(struct schema_server *server) {
	const struct http_handler handler = { on_head, on_request, on_refused, server };
	struct listen_address listen = { .host = (char[]){ "127.0.0.1" } };
	const struct http_options options = { .key = "test",
					      .listen = &listen,
					      .threads = 2,
					      .connections_max = 16,
					      .client_timeout_ms = 60 * 1000,
					      .idle_timeout_ms = 60 * 1000,
					      .body_max = 64 * 1024,
					      .handler = &handler };

	*server = (struct schema_server){ .status = 500, .body = "" };
	pthread_mutex_init(&server->lock, NULL);
	assert_int_equal(http_server_start(&options, &server->http), 0);
	snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%u",
		 http_server_port(server->http));
}

void schema_server_stop(struct schema_server *server) {
	http_server_free(server->http);
	pthread_mutex_destroy(&server->lock);
}

void schema_server_answer(struct schema_server *server, int status, const char *body) {
	pthread_mutex_lock(&server->lock);
	server->status = status;
	server->body = body;
	pthread_mutex_unlock(&server->lock);
}
