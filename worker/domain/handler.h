/*
 * The handlers of commands: a command, the state it needs, and the time go in; effects come out.
 * Pure: no I/O of their own, no clock, no randomness.
 *
 * Every command gets exactly one START and one SUCCESS or FAIL, in this order. A refused input is
 * an ordinary outcome: FAIL with 400, 404, 409 or 429, a detail for every wrong parameter or for
 * the reached limit, and no change.
 */
#pragma once

#include "domain/effects.h"
#include "domain/handler_context.h"

/* Handles a WebhookCommand. Returns 0, or the negative errno of the registry. */
int handle_command(const struct handler_context *context, const struct command *command,
		   struct effects *out) _must_check_;
