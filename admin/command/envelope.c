#include "command/envelope.h"

#include "base/clock.h"
#include "base/uuid.h"

const char *envelope_random_id(struct arena *arena) {
	struct uuid id = uuid_random();
	char text[UUID_TEXT_SIZE];

	uuid_format(&id, text);
	return arena_strdup(arena, text);
}

struct command_envelope envelope_from_arguments(const struct invocation *invocation,
						struct arena *arena) {
	const struct arguments *arguments = invocation->arguments;
	const char *command_id = arguments_get(arguments, "command-id"),
		   *request_id = arguments_get(arguments, "request-id");

	return (struct command_envelope){
		.command_id = command_id ? command_id : envelope_random_id(arena),
		.tenant_id = invocation->tenant,
		.request_id = request_id ? request_id : envelope_random_id(arena),
		.client_id = arguments_get(arguments, "client-id"),
		.timestamp_ms = clock_wall_ms(),
		.traceparent = arguments_get(arguments, "traceparent"),
	};
}
