/* Validation of a command's fields. Each check adds a detail for a fault and goes on, so that a
 * refusal names all of them. */
#pragma once

#include "domain/command.h"
#include "domain/cursor.h"
#include "domain/delivery.h"
#include "domain/problem.h"
#include "domain/url.h"
#include "domain/webhook.h"
#include "domain/webhook_rules.h"

struct validation {
	struct arena *arena;
	struct problem *problem;      /* NULL: no fault so far */
	const struct problem *faults; /* of the command's members (command.h), or NULL: what they
					 name is not judged again */
};

/* A validation that begins with the faults of the command's members, or NULL. */
struct validation validation_begin(struct arena *arena, const struct problem *faults);

/* "Invalid value": for a value without the right form. */
extern const char VALIDATION_INVALID[];

void validation_add(struct validation *validation, const char *param, const char *location,
		    const char *value, const char *msg);
/* Whether no further detail is taken: the rest of a long list need not be judged. */
bool validation_is_full(const struct validation *validation);

void validate_envelope(struct validation *validation, const struct command_envelope *envelope);
bool is_command_id(const char *command_id);

/* 1..IDENTIFIER_MAX bytes, or where `is_optional` also NULL or empty. */
void validate_identifier(struct validation *validation, const char *param, const char *value,
			 bool is_optional);

void validate_id(struct validation *validation, const char *id, struct uuid *out);
/* All members but the id. Fills all but the headers, whose values are yet to be sealed. */
void validate_webhook(struct validation *validation, const struct command *command,
		      const struct webhook_rules *rules, struct webhook *out);
/* Of a command that creates or updates a webhook. */
void validate_headers(struct validation *validation, const struct command *command);
/* Fills the webhook's signatures. */
void validate_signatures(struct validation *validation, const char *const *names, size_t count,
			 struct webhook *out);
void validate_public_key(struct validation *validation, const char *text,
			 uint8_t out[PUBLIC_KEY_LEN]);
void validate_limit(struct validation *validation, const struct command *command, size_t *out);
/* `*out` points to `storage`, or is NULL for a command without a cursor. */
void validate_cursor(struct validation *validation, const struct command *command,
		     struct cursor *storage, const struct cursor **out);
/* The members of a recovery but its id. `*status`: of the deliveries. */
void validate_recovery(struct validation *validation, const struct command *command,
		       enum delivery_status *status);
/* All of a command, envelope included, as its operation would validate it: for the gateway,
 * which refuses some commands before it sends them. */
void validate_command(struct validation *validation, const struct command *command,
		      const struct webhook_rules *rules);
