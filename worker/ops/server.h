/*
 * The operations server: GET /metrics, /livez and /readyz on a port of its own.
 *
 *      /livez   200 while the pipeline's loop runs; 503 when it has stood still for minutes:
 *               restart the process
 *      /readyz  200 when every assigned partition is served; else 503 and one word:
 *               starting, restoring, torn, failing
 */
#pragma once

#include "base/config.h"
#include "pipeline/pipeline.h"

struct server;

/* Borrows `pipeline` and `engine` until server_stop. Returns 0, or a negative errno after
 * logging. */
int server_start(const struct listen_address *listen, const struct pipeline *pipeline,
		 const struct engine *engine, const char *version,
		 struct server **out) _must_check_;
void server_stop(struct server *server);
DEFINE_CLEANUP(struct server, server_stop)
