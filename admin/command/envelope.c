#include "command/envelope.h"

#include "base/clock.h"
#include "base/uuid.h"

struct command_envelope envelope_from_arguments(const struct invocation *invocation,
						struct arena *arena) {
	const struct arguments *arguments = invocation->arguments;
	const char *command_id = arguments_get(arguments, "command-id"),
		   *request_id = arguments_get(arguments, "request-id");

	return (struct command_envelope){
		.command_id = command_id ? command_id : uuid_random_text(arena),
		.tenant_id = invocation->tenant,
		.request_id = request_id ? request_id : uuid_random_text(arena),
		.client_id = arguments_get(arguments, "client-id"),
		.timestamp_ms = clock_wall_ms(),
		.traceparent = arguments_get(arguments, "traceparent"),
		.tracestate = arguments_get(arguments, "tracestate"),
	};
}
