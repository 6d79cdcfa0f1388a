/*
 * The gateway's operations, on a port of their own (gateway.operations.listen):
 *
 *     /livez    200 while the process serves
 *     /readyz   200 when the changelog has been read and Kafka can be; else 503 and one word:
 *               starting, failing, draining
 *     /metrics  for Prometheus
 */
#pragma once

#include "http/operations.h"

/* `userdata` is the gateway. */
extern const struct http_handler operations_handler;
