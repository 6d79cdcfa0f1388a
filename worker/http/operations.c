#include "http/operations.h"

enum { CONNECTIONS_MAX = 256, CLIENT_TIMEOUT_MS = 5000, IDLE_TIMEOUT_MS = 75 * 1000 };

struct http_options http_operations_options(const char *key, const struct listen_address *listen,
					    const struct http_handler *handler) {
	return (struct http_options){ .key = key,
				      .listen = listen,
				      .threads = 1,
				      .connections_max = CONNECTIONS_MAX,
				      .client_timeout_ms = CLIENT_TIMEOUT_MS,
				      .idle_timeout_ms = IDLE_TIMEOUT_MS,
				      .handler = handler };
}

void http_operations_head(void *userdata _unused_, struct http_request *request) {
	if (!strcmp(request->head->method, "GET") || !strcmp(request->head->method, "HEAD"))
		return;
	http_answer_text(&request->answer, 405, "method not allowed\n");
	http_answer_header(&request->answer, "allow", "GET, HEAD");
}

void http_operations_refused(void *userdata _unused_, struct http_request *request, int status,
			     const char *message) {
	http_answer_text(&request->answer, status, message);
	buffer_append_char(&request->answer.body, '\n');
}
