/* Values in a request's query. Each adds a fault to `*problem` (exchange_wrong), or fills `*out`;
 * where the parameter is absent it leaves `*out` alone. */
#pragma once

#include "gateway/exchange.h"

void query_read_number(struct exchange *exchange, struct problem **problem, const char *name,
		       int64_t min, int64_t max, const char *rule, int64_t *out);
/* The page's limit; its default where it is absent. */
void query_read_limit(struct exchange *exchange, struct problem **problem, size_t *out);
/* A time as the API writes it, in wall milliseconds. */
void query_read_time(struct exchange *exchange, struct problem **problem, const char *name,
		     int64_t *out);
void query_read_uuid(struct exchange *exchange, struct problem **problem, const char *name,
		     struct uuid *out, bool *has);
/* Text of 1 to `max` bytes. */
void query_read_text(struct exchange *exchange, struct problem **problem, const char *name,
		     size_t max, const char **out);
