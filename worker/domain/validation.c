#include "domain/validation.h"

#include "domain/limits.h"

#include <inttypes.h>
#include <string.h>

static const char BODY[] = "body", PARAMS[] = "params", QUERY[] = "query";

const char VALIDATION_INVALID[] = "Invalid value";

/* 9999-12-31T23:59:59.999Z, the last time whose year ISO 8601 writes with four digits. Source:
 * RFC 3339 section 5.6. */
static const int64_t TIMESTAMP_MAX_MS = 253402300799999;

struct validation validation_begin(struct arena *arena, const struct problem *faults) {
	struct validation validation = { .arena = arena, .faults = faults };

	if (faults) {
		validation.problem = arena_memdup(arena, faults, sizeof(*faults));
		validation.problem->detail_capacity = faults->detail_count; /* grows elsewhere */
	}
	return validation;
}

void validation_add(struct validation *validation, const char *param, const char *location,
		    const char *value, const char *msg) {
	if (problem_names(validation->faults, param))
		return;
	if (!validation->problem)
		validation->problem =
		    problem_new(validation->arena, 400, "The command has invalid parameters.");
	problem_add(validation->arena, validation->problem, param, location, value, msg);
}

bool validation_is_full(const struct validation *validation) {
	return validation->problem && validation->problem->detail_count == PROBLEM_DETAILS_MAX;
}

static const char *decimal(struct validation *validation, int64_t value) {
	return arena_printf(validation->arena, "%" PRId64, value);
}

bool is_command_id(const char *command_id) {
	return command_id && *command_id &&
	       strnlen(command_id, COMMAND_ID_MAX + 1) <= COMMAND_ID_MAX;
}

_Static_assert(COMMAND_ID_MAX == 256 && REQUEST_ID_MAX == 256 && CLIENT_ID_MAX == 256,
	       "the messages say so");

static void validate_optional_text(struct validation *validation, const char *param,
				   const char *value, size_t max) {
	if (value && strnlen(value, max + 1) > max)
		validation_add(validation, param, BODY, value, "Must be at most 256 bytes");
}

void validate_envelope(struct validation *validation, const struct command_envelope *envelope) {
	if (!is_command_id(envelope->command_id))
		validation_add(validation, "commandId", BODY, envelope->command_id,
			       "Must be 1 to 256 bytes");
	validate_optional_text(validation, "requestId", envelope->request_id, REQUEST_ID_MAX);
	validate_optional_text(validation, "clientId", envelope->client_id, CLIENT_ID_MAX);
	if (envelope->timestamp_ms < 0 || envelope->timestamp_ms > TIMESTAMP_MAX_MS)
		validation_add(validation, "timestamp", BODY,
			       decimal(validation, envelope->timestamp_ms),
			       "Must be a time between 1970 and 9999");
}

_Static_assert(IDENTIFIER_MAX == 1024, "the messages say so");

void validate_identifier(struct validation *validation, const char *param, const char *value,
			 bool is_optional) {
	size_t len = value ? strnlen(value, IDENTIFIER_MAX + 1) : 0;

	if (len > IDENTIFIER_MAX)
		validation_add(validation, param, BODY, value, "Must be at most 1024 bytes");
	else if (len == 0 && !is_optional)
		validation_add(validation, param, BODY, value, "Must not be empty");
}

void validate_id(struct validation *validation, const char *id, struct uuid *out) {
	if (!id || uuid_parse(id, out) < 0)
		validation_add(validation, "id", PARAMS, id, VALIDATION_INVALID);
}

_Static_assert(PAGE_LIMIT_MAX == 1000, "the message says so");

void validate_limit(struct validation *validation, const struct command *command, size_t *out) {
	*out = PAGE_LIMIT_DEFAULT;
	if (!command->has_limit)
		return;
	if (command->limit < 1 || command->limit > PAGE_LIMIT_MAX)
		validation_add(validation, "limit", QUERY, decimal(validation, command->limit),
			       "Must be between 1 and 1000");
	else
		*out = (size_t)command->limit;
}

void validate_cursor(struct validation *validation, const struct command *command,
		     struct cursor *storage, const struct cursor **out) {
	*out = NULL;
	if (!command->cursor)
		return;
	if (cursor_parse(command->cursor, storage))
		validation_add(validation, "cursor", QUERY, command->cursor, VALIDATION_INVALID);
	else
		*out = storage;
}

void validate_recovery(struct validation *validation, const struct command *command,
		       enum delivery_status *status) {
	*status = DELIVERY_DEAD;
	if (command->since_ms < 0)
		validation_add(validation, "since", BODY, decimal(validation, command->since_ms),
			       "Must not be before 1970");
	if (command->has_until && command->until_ms < command->since_ms)
		validation_add(validation, "until", BODY, decimal(validation, command->until_ms),
			       "Must not be before since");
	if (command->subject)
		validate_identifier(validation, "subject", command->subject, false);
	if (command->status &&
	    (delivery_status_parse(command->status, status) || *status == DELIVERY_PENDING))
		validation_add(validation, "status", BODY, command->status,
			       "Must be dead or succeeded");
}
