/* The handler of EventCommand: an event of the tenant's own becomes a delivery for each of its
 * webhooks that subscribes to the type. */
#pragma once

#include "domain/effects.h"
#include "domain/handler_context.h"

/* Returns 0, or the negative errno of the registry. A refused command is an ordinary outcome. */
int handle_event(const struct handler_context *context, const struct event_command *command,
		 struct effects *out) _must_check_;

/* All of a command, envelope included: for the gateway, which refuses some before it sends them. */
struct validation;
void validate_event(struct validation *validation, const struct event_command *command,
		    struct event_catalogue catalogue);
