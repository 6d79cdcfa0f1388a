/* Validation of what a webhook's callbacks are signed with and carry. */
#include "base/base64url.h"
#include "domain/validation.h"
#include "domain/webhook_header.h"

#include <string.h>
#include <strings.h>

static const char BODY[] = "body";

static bool is_repeated_header(const struct command *command, size_t at) {
	for (size_t i = 0; i < at; i++)
		if (command->headers[i].name &&
		    strcasecmp(command->headers[i].name, command->headers[at].name) == 0)
			return true;
	return false;
}

/* An update may leave a value out: the webhook keeps the one that it has. A value is a secret, so
 * its detail does not show it. */
static void validate_header(struct validation *validation, const struct command *command,
			    size_t i) {
	const struct header_given *header = &command->headers[i];
	const char *wrong = webhook_header_name_fault(header->name);

	if (!wrong && is_repeated_header(command, i))
		wrong = "Must not be repeated";
	if (wrong)
		validation_add(validation, arena_printf(validation->arena, "headers[%zu].name", i),
			       BODY, header->name, wrong);
	wrong = header->value
		    ? webhook_header_value_fault(header->value)
		    : (command->operation == OPERATION_CREATE_WEBHOOK ? "Must be given" : NULL);
	if (wrong)
		validation_add(validation, arena_printf(validation->arena, "headers[%zu].value", i),
			       BODY, NULL, wrong);
}

_Static_assert(WEBHOOK_HEADERS_MAX == 8, "the message says so");

void validate_headers(struct validation *validation, const struct command *command) {
	if (command->header_count > WEBHOOK_HEADERS_MAX) {
		validation_add(validation, "headers", BODY,
			       arena_printf(validation->arena, "%zu", command->header_count),
			       "Must be at most 8");
		return;
	}
	for (size_t i = 0; i < command->header_count; i++)
		validate_header(validation, command, i);
}

static const char *take_signature(const char *name, struct webhook *out) {
	enum signature_format format;

	if (!name || signature_format_parse(name, &format))
		return VALIDATION_INVALID;
	for (size_t i = 0; i < out->signature_count; i++)
		if (out->signatures[i] == format)
			return "Must not be repeated";
	out->signatures[out->signature_count++] = format;
	return NULL;
}

void validate_signatures(struct validation *validation, const char *const *names, size_t count,
			 struct webhook *out) {
	out->signature_count = 0;
	for (size_t i = 0; i < count && !validation_is_full(validation); i++) {
		const char *wrong = take_signature(names[i], out);

		if (wrong)
			validation_add(validation,
				       arena_printf(validation->arena, "signatures[%zu]", i), BODY,
				       names[i], wrong);
	}
}

void validate_public_key(struct validation *validation, const char *text,
			 uint8_t out[PUBLIC_KEY_LEN]) {
	size_t len = 0;

	if (!text || base64url_decode(text, strlen(text), out, PUBLIC_KEY_LEN, &len) ||
	    len != PUBLIC_KEY_LEN)
		validation_add(validation, "publicKey", BODY, text,
			       "Must be 32 bytes as base64url without padding");
}
