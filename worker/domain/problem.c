#include "domain/problem.h"

#include "base/invariant.h"
#include "base/utf8.h"

/* A status, its reason phrase in one word, and its family. Source of the reasons: RFC 9110
 * section 15, RFC 6585 sections 4 and 5 (429, 431). */
struct kind {
	int status;
	const char *code;
	const char *type;
};

static const struct kind kinds[] = {
	{ 400, "BadRequest", "request" },
	{ 401, "Unauthorized", "auth" },
	{ 404, "NotFound", "resource" },
	{ 405, "MethodNotAllowed", "request" },
	{ 409, "Conflict", "request" },
	{ 413, "ContentTooLarge", "request" },
	{ 414, "URITooLong", "request" },
	{ 415, "UnsupportedMediaType", "request" },
	{ 417, "ExpectationFailed", "request" },
	{ 429, "TooManyRequests", "request" },
	{ 431, "RequestHeaderFieldsTooLarge", "request" },
	{ 500, "InternalServerError", "server" },
	{ 501, "NotImplemented", "server" },
	{ 503, "ServiceUnavailable", "server" },
	{ 505, "HTTPVersionNotSupported", "server" },
};

static const struct kind *kind_of(int status) {
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].status == status)
			return &kinds[i];
	invariant_with(false, "a problem has a status with a kind", "status=%d", status);
}

struct problem *problem_new(struct arena *arena, int status, const char *message) {
	const struct kind *kind = kind_of(status);
	struct problem *problem = arena_alloc(arena, sizeof(*problem));

	*problem = (struct problem){
		.status = status, .code = kind->code, .type = kind->type, .message = message
	};
	return problem;
}

void problem_add(struct arena *arena, struct problem *problem, const char *param,
		 const char *location, const char *value, const char *msg) {
	if (problem->detail_count == PROBLEM_DETAILS_MAX)
		return;
	problem->details = arena_grow(arena, problem->details, problem->detail_count,
				      &problem->detail_capacity, sizeof(*problem->details));
	problem->details[problem->detail_count++] = (struct problem_detail){
		.value = arena_strndup(arena, value ? value : "",
				       utf8_prefix_len(value ? value : "", PROBLEM_VALUE_MAX)),
		.msg = msg,
		.param = param,
		.location = location,
	};
}

bool problem_names(const struct problem *problem, const char *param) {
	for (size_t i = 0; problem && i < problem->detail_count; i++)
		if (!strcmp(problem->details[i].param, param))
			return true;
	return false;
}
