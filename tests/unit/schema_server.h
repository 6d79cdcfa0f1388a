/* An HTTP server in the place of a schema registry: it answers with what a test says. */
#pragma once

#include "base/buffer.h"
#include "http/server.h"

#include <pthread.h>
#include <stdatomic.h>

struct schema_server {
	struct http_server *http;
	char url[64];
	atomic_int requests;

	pthread_mutex_t lock; /* of what follows */
	int status;
	int64_t delay_ms;
	const char *body;
	char path[256], method[16], authorization[256], received[64 * 1024];
};

void schema_server_start(struct schema_server *server);
void schema_server_stop(struct schema_server *server);
void schema_server_answer(struct schema_server *server, int status, const char *body);
