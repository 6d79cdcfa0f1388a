/* A command that is sent, and whose outcome is awaited. */
#pragma once

#include "command/command.h"
#include "command/envelope.h"
#include "kafka/command_client.h"

struct call {
	const struct invocation *invocation;
	struct arena *arena;
	struct codec *codec;
	struct command_client *client;
};

/* Opens the codec and the client. Close `call` with call_close also where this fails. */
enum admin_status call_open(struct call *call, const struct invocation *invocation,
			    const struct command_client_options *options) _must_check_;
void call_close(struct call *call);

/* The first operand, such as a webhook's id; NULL without one. */
const char *call_operand(const struct invocation *invocation);

/* Awaits and prints the outcome of the command with the envelope; `sent` is what sending it
 * returned. */
enum admin_status call_end(struct call *call, enum admin_status sent,
			   const struct command_envelope *envelope) _must_check_;

/* Sends `command` with an envelope from the command line, and prints its outcome. */
enum admin_status call_and_show(const struct invocation *invocation,
				const struct command *command) _must_check_;
