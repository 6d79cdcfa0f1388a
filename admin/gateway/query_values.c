#include "gateway/query_values.h"

#include "base/clock.h"
#include "base/number.h"
#include "domain/limits.h"

void query_read_number(struct exchange *exchange, struct problem **problem, const char *name,
		       int64_t min, int64_t max, const char *rule, int64_t *out) {
	bool wrong = false;
	const char *text = exchange_query(exchange, name, &wrong);

	if (wrong || (text && number_parse(text, min, max, out)))
		exchange_wrong(exchange, problem, name, "query", text, rule);
}

void query_read_limit(struct exchange *exchange, struct problem **problem, size_t *out) {
	int64_t limit = PAGE_LIMIT_DEFAULT;

	query_read_number(exchange, problem, "limit", 1, PAGE_LIMIT_MAX,
			  "Must be between 1 and 1000", &limit);
	*out = (size_t)limit;
}

void query_read_time(struct exchange *exchange, struct problem **problem, const char *name,
		     int64_t *out) {
	bool wrong = false;
	const char *text = exchange_query(exchange, name, &wrong);

	if (wrong || (text && clock_parse_iso8601(text, out)))
		exchange_wrong(exchange, problem, name, "query", text,
			       "Must be a time such as 2026-01-31T12:00:00.000Z");
}

void query_read_uuid(struct exchange *exchange, struct problem **problem, const char *name,
		     struct uuid *out, bool *has) {
	bool wrong = false;
	const char *text = exchange_query(exchange, name, &wrong);

	*has = text;
	if (wrong || (text && uuid_parse(text, out)))
		exchange_wrong(exchange, problem, name, "query", text, "Must be a UUID");
}

void query_read_text(struct exchange *exchange, struct problem **problem, const char *name,
		     size_t max, const char **out) {
	bool wrong = false;
	const char *text = exchange_query(exchange, name, &wrong);

	*out = text;
	if (wrong || (text && (!*text || strlen(text) > max)))
		exchange_wrong(
		    exchange, problem, name, "query", text,
		    arena_printf(exchange->http->arena, "Must have 1 to %zu bytes", max));
}
