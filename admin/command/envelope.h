/* The envelope of a command, from the command line. */
#pragma once

#include "base/arena.h"
#include "command/command.h"
#include "domain/command.h"

/* Rows for the tables of subcommands that send a command. */
#define ENVELOPE_FLAGS                                                                             \
	{ "command-id", "ID", "the idempotency key (default: a random UUID)" },                    \
	    { "request-id", "ID",                                                                  \
	      "carried through to events and headers (default: a random UUID)" },                  \
	    { "client-id", "ID", "the caller's id, for events" },                                  \
	    { "traceparent", "VALUE", "W3C trace context, carried through to the callback" },      \
	    { "tracestate", "VALUE", "the same, of a trace that --traceparent names" }

struct command_envelope envelope_from_arguments(const struct invocation *invocation,
						struct arena *arena);
