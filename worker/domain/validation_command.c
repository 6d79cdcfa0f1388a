/* Validation of a whole command, and of what a webhook is made of. */
#include "domain/limits.h"
#include "domain/validation.h"

#include <inttypes.h>
#include <string.h>

static const char BODY[] = "body";

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
	for (size_t i = 0; i < command->event_count && !validation_is_full(validation); i++) {
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
	for (size_t i = 0; i < list->count && !validation_is_full(validation); i++) {
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
			       arena_printf(validation->arena, "%" PRId32, command->rate_limit),
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

void validate_command(struct validation *validation, const struct command *command,
		      const struct webhook_rules *rules) {
	const struct cursor *after;
	uint8_t public_key[PUBLIC_KEY_LEN];
	enum delivery_status status;
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
		validate_recovery(validation, command, &status);
		return;
	case OPERATION_RETRIEVE_WEBHOOK:
	case OPERATION_DELETE_WEBHOOK:
	case OPERATION_TEST_WEBHOOK:
	case OPERATION_ROTATE_SECRET:
	case OPERATION_RESEND_DELIVERY:
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
