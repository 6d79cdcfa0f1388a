#include "command/flags.h"

#include "base/clock.h"
#include "base/duration.h"
#include "base/number.h"
#include "domain/limits.h"

enum { LIMIT_MAX = 1000000 };

enum admin_status flags_read_limit(const struct invocation *invocation, size_t fallback,
				   size_t *limit) {
	const char *text = arguments_get(invocation->arguments, "limit");
	int64_t number;

	*limit = fallback;
	if (!text)
		return ADMIN_OK;
	if (number_parse(text, 1, LIMIT_MAX, &number)) {
		terminal_complain("--limit is \"%s\", must be a number, 1 to %d", text, LIMIT_MAX);
		return ADMIN_USAGE;
	}
	*limit = (size_t)number;
	return ADMIN_OK;
}

enum admin_status flags_read_time(const struct invocation *invocation, const char *name,
				  bool *given, int64_t *out_ms) {
	const char *text = arguments_get(invocation->arguments, name);
	int64_t back_ms;

	*given = text != NULL;
	*out_ms = 0;
	if (!text || !clock_parse_iso8601(text, out_ms))
		return ADMIN_OK;
	if (!duration_parse(text, &back_ms)) {
		*out_ms = clock_wall_ms() - back_ms;
		return ADMIN_OK;
	}
	terminal_complain(
	    "--%s is \"%s\", must be a time such as 2026-01-31T12:00:00.000Z or a duration "
	    "such as 2h",
	    name, text);
	return ADMIN_USAGE;
}

enum admin_status flags_read_since(const struct invocation *invocation, bool *given,
				   int64_t *since_ms) {
	return flags_read_time(invocation, "since", given, since_ms);
}

enum admin_status flags_check_single(const struct invocation *invocation, const char *name,
				     const char *const *required, size_t count) {
	if (!invocation->tenant || !invocation->tenant[0] ||
	    strlen(invocation->tenant) > TENANT_ID_MAX) {
		terminal_complain("%s needs --tenant, of 1 to 256 bytes", name);
		return ADMIN_USAGE;
	}
	for (size_t i = 0; i < count; i++) {
		if (!arguments_get(invocation->arguments, required[i])) {
			terminal_complain("--%s is needed (or --file)", required[i]);
			return ADMIN_USAGE;
		}
	}
	return ADMIN_OK;
}
