#include "command/call.h"

#include "command/show.h"
#include "kafka/record_codec.h"

enum admin_status call_open(struct call *call, const struct invocation *invocation,
			    const struct command_client_options *options) {
	*call = (struct call){ .invocation = invocation,
			       .arena = arena_new(),
			       .codec = record_codec_new(invocation->config) };
	if (!call->codec)
		return ADMIN_USAGE;
	return command_client_open(invocation->config, call->codec, options, &call->client);
}

void call_close(struct call *call) {
	command_client_closep(&call->client);
	codec_freep(&call->codec);
	arena_freep(&call->arena);
}

const char *call_operand(const struct invocation *invocation) {
	return invocation->arguments->operand_count ? invocation->arguments->operands[0] : NULL;
}

enum admin_status call_end(struct call *call, enum admin_status sent,
			   const struct command_envelope *envelope) {
	struct analytic_event outcome;
	enum admin_status status = sent;

	if (sent == ADMIN_REFUSED) {
		terminal_complain("the command is larger than command.max.bytes");
		return ADMIN_USAGE;
	}
	if (!status)
		status = command_client_flush(call->client);
	if (!status)
		status = command_client_await(call->client, call->arena, envelope, &outcome);
	return status ? status : show_outcome(&outcome, call->invocation->json);
}

enum admin_status call_and_show(const struct invocation *invocation,
				const struct command *command) {
	const struct command_client_options options = { .awaits_outcomes = true,
							.timeout_ms = invocation->timeout_ms };
	_cleanup_(call_close) struct call call;
	struct command filled = *command;
	struct analytic_event outcome;
	enum admin_status status = call_open(&call, invocation, &options);

	if (status)
		return status;
	filled.envelope = envelope_from_arguments(invocation, call.arena);
	status = command_client_call(call.client, call.arena, &filled, &outcome);
	return status ? status : show_outcome(&outcome, invocation->json);
}
