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

static bool is_full(const struct validation *validation) {
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

static const char *judge_event(const struct webhook_rules *rules, const char *name,
			       const char *const *before, size_t count) {
	if (!name || !event_catalogue_has(rules->catalogue, name))
		return VALIDATION_INVALID;
	for (size_t i = 0; i < count; i++)
		if (strcmp(before[i], name) == 0)
			return "Must not be repeated";
	return NULL;
}

static void validate_events(struct validation *validation, const struct command *command,
			    const struct webhook_rules *rules, struct webhook *out) {
	const char **taken;

	if (command->event_count == 0)
		validation_add(validation, "events", BODY, NULL,
			       "Must name at least one event type");
	out->event_count = 0;
	/* No more than there are names: a repeated one is not taken. */
	taken = arena_alloc(validation->arena,
			    MIN(command->event_count, (size_t)WEBHOOK_EVENTS_MAX) * sizeof(*taken));
	out->events = taken;
	for (size_t i = 0; i < command->event_count && !is_full(validation); i++) {
		const char *wrong = judge_event(rules, command->events[i], taken, out->event_count);

		if (!wrong)
			taken[out->event_count++] = command->events[i];
		else
			validation_add(validation,
				       arena_printf(validation->arena, "events[%zu]", i), BODY,
				       command->events[i], wrong);
	}
}

static void validate_url(struct validation *validation, const char *url,
			 const struct url_policy *policy, struct webhook *out) {
	const char *why;
	char *normalised;

	if (!url || !*url)
		validation_add(validation, "url", BODY, url, "Must not be empty");
	else if (url_normalise(validation->arena, url, policy, &normalised, &why))
		validation_add(validation, "url", BODY, url, why);
	else
		out->url = normalised;
}

/* The number of characters of UTF-8. */
static size_t count_characters(const char *text) {
	size_t count = 0;

	for (; *text; text++)
		count += (*text & 0xc0) != 0x80;
	return count;
}

_Static_assert(DESCRIPTION_MAX == 256, "the message says so");

/* Empty is the same as not given. */
static void validate_description(struct validation *validation, const char *description,
				 struct webhook *out) {
	if (!description || !*description)
		return;
	if (count_characters(description) > DESCRIPTION_MAX)
		validation_add(validation, "description", BODY, description,
			       "Must be at most 256 characters");
	else
		out->description = description;
}

_Static_assert(FILTER_VALUES_MAX == 64 && FILTER_BYTES_MAX == 16384 && RATE_LIMIT_MAX == 10000,
	       "the messages say so");

/* Returns the bytes of the list's values. */
static size_t validate_list(struct validation *validation, const char *param,
			    const struct text_list *list) {
	size_t bytes = 0;

	if (list->count > FILTER_VALUES_MAX)
		validation_add(validation, param, BODY, NULL, "Must have at most 64 values");
	for (size_t i = 0; i < list->count && !is_full(validation); i++) {
		validate_identifier(validation,
				    arena_printf(validation->arena, "%s[%zu]", param, i),
				    list->items[i], false);
		bytes += list->items[i] ? strlen(list->items[i]) : 0;
	}
	return bytes;
}

/* A filter without a value is the same as none. */
static void validate_filter(struct validation *validation, const struct webhook_filter *filter,
			    struct webhook *out) {
	size_t bytes;

	if (!filter)
		return;
	bytes =
	    validate_list(validation, "filter.credentialConfigurationId",
			  &filter->credential_configuration_ids) +
	    validate_list(validation, "filter.format", &filter->formats) +
	    validate_list(validation, "filter.credentialProfile", &filter->credential_profiles) +
	    validate_list(validation, "filter.subject", &filter->subjects);
	if (bytes > FILTER_BYTES_MAX)
		validation_add(validation, "filter", BODY, NULL,
			       "Must have at most 16384 bytes of values");
	out->filter = bytes > 0 ? filter : NULL;
}

static void validate_rate_limit(struct validation *validation, const struct command *command,
				struct webhook *out) {
	if (!command->has_rate_limit)
		return;
	if (command->rate_limit < 1 || command->rate_limit > RATE_LIMIT_MAX)
		validation_add(validation, "rateLimit", BODY,
			       decimal(validation, command->rate_limit),
			       "Must be between 1 and 10000");
	else
		out->rate_limit = command->rate_limit;
}

void validate_webhook(struct validation *validation, const struct command *command,
		      const struct webhook_rules *rules, struct webhook *out) {
	validate_events(validation, command, rules, out);
	validate_url(validation, command->url, &rules->url_policy, out);
	out->disabled = command->disabled;
	validate_description(validation, command->description, out);
	validate_filter(validation, command->filter, out);
	validate_rate_limit(validation, command, out);
	validate_headers(validation, command);
	validate_signatures(validation, command->signatures, command->signature_count, out);
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

void validate_since(struct validation *validation, int64_t since_ms) {
	if (since_ms < 0)
		validation_add(validation, "since", BODY, decimal(validation, since_ms),
			       "Must not be before 1970");
}

void validate_command(struct validation *validation, const struct command *command,
		      const struct webhook_rules *rules) {
	const struct cursor *after;
	uint8_t public_key[PUBLIC_KEY_LEN];
	struct webhook webhook;
	struct cursor cursor;
	struct uuid id;
	size_t limit;

	validate_envelope(validation, &command->envelope);
	switch (command->operation) {
	case OPERATION_UPDATE_WEBHOOK:
		validate_id(validation, command->id, &id);
		validate_webhook(validation, command, rules, &webhook);
		return;
	case OPERATION_CREATE_WEBHOOK:
		validate_webhook(validation, command, rules, &webhook);
		return;
	case OPERATION_RETRIEVE_WEBHOOKS:
		validate_limit(validation, command, &limit);
		validate_cursor(validation, command, &cursor, &after);
		return;
	case OPERATION_RECOVER_DELIVERIES:
		validate_id(validation, command->id, &id);
		validate_since(validation, command->since_ms);
		return;
	case OPERATION_RETRIEVE_WEBHOOK:
	case OPERATION_DELETE_WEBHOOK:
	case OPERATION_TEST_WEBHOOK:
	case OPERATION_ROTATE_SECRET:
		validate_id(validation, command->id, &id);
		return;
	case OPERATION_RETRIEVE_SECRET:
		validate_public_key(validation, command->public_key, public_key);
		validate_id(validation, command->id, &id);
		return;
	case OPERATION_ROTATE_SIGNING_KEY:
	case OPERATION_UNKNOWN:
		return;
	}
}
