#include "gateway/command_problem.h"

#include "gateway/parts.h"

/* The headers that carry the members of a command's envelope. */
static const struct {
	const char *member, *header;
} envelope_headers[] = { { "commandId", "Idempotency-Key" },
			 { "requestId", "x-request-id" },
			 { "clientId", "authorization" },
			 { "traceparent", "traceparent" } };

/* A member of an event that has a shorter name in a request. */
static const char event_type[] = "eventType", type[] = "type";

static void name_header(struct problem_detail *detail) {
	if (strcmp(detail->param, event_type) == 0)
		detail->param = type;
	for (size_t i = 0; i < ARRAY_LEN(envelope_headers); i++)
		if (!strcmp(detail->location, "body") &&
		    !strcmp(detail->param, envelope_headers[i].member)) {
			detail->param = envelope_headers[i].header;
			detail->location = "headers";
			return;
		}
}

/* Words the conflict of a command id as one of an Idempotency-Key. */
static void name_conflict(struct problem *problem) {
	if (problem->status != 409 || problem->detail_count != 1 ||
	    strcmp(problem->details[0].param, "Idempotency-Key") != 0)
		return;
	problem->message = "The Idempotency-Key was used before with another request.";
	problem->details[0].msg = "Must be new, or repeat the same request";
}

struct problem *command_problem_name_headers(struct arena *arena, const struct problem *problem) {
	struct problem *named = arena_memdup(arena, problem, sizeof(*problem));

	if (problem->detail_count)
		named->details = arena_memdup(arena, problem->details,
					      problem->detail_count * sizeof(*problem->details));
	for (size_t i = 0; i < named->detail_count; i++)
		name_header(&named->details[i]);
	name_conflict(named);
	return named;
}

/* The place of a detail: members in the order of reading, elements in their own order, unknown
 * members last. */
static size_t rank_of(const struct problem_detail *detail) {
	static const char *const order[] = {
		"Idempotency-Key", "id",      "body",       "events",  "url",       "disabled",
		"description",     "headers", "signatures", "filter",  "rateLimit", "since",
		"limit",           "cursor",  "type",       "subject", "payload"
	};
	size_t len = strcspn(detail->param, "[."), place = 0;

	while (place < ARRAY_LEN(order) &&
	       (strlen(order[place]) != len || strncmp(order[place], detail->param, len) != 0))
		place++;
	return place * (GATEWAY_BODY_MAX + 1) +
	       (place < ARRAY_LEN(order) && detail->param[len]
		    ? strtoul(detail->param + len + 1, NULL, 10) + 1
		    : 0);
}

void command_problem_sort(struct problem *problem) {
	for (size_t i = 1; i < problem->detail_count; i++) {
		struct problem_detail row = problem->details[i];
		size_t at = i;

		for (; at > 0 && rank_of(&problem->details[at - 1]) > rank_of(&row); at--)
			problem->details[at] = problem->details[at - 1];
		problem->details[at] = row;
	}
}
