#include "command/secret.h"

#include "base/secret_file.h"
#include "command/call.h"
#include "command/show.h"
#include "signature/webhook_secret.h"
#include "terminal/output.h"

#include <sodium.h>

enum { WHY_MAX = 1024, VALUE_ROOM = 64 * 1024 /* the worker says which value is too long */ };

static void wipe(struct buffer *buffer) {
	if (buffer->data)
		sodium_memzero(buffer->data, buffer->capacity);
	buffer_destroy(buffer);
}

/* Returns NULL after printing the fault. */
static const char *read_value(const char *file, struct arena *arena) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	_cleanup_(wipe) struct buffer value = BUFFER_INIT(VALUE_ROOM);
	int r = secret_file_read(file, &value, &why);

	if (r == 0)
		return arena_strdup(arena, value.data);
	terminal_complain("header file %s %s", file, r < 0 ? strerror(-r) : why.data);
	return NULL;
}

enum admin_status secret_read_headers(const struct invocation *invocation, struct arena *arena,
				      struct command *command) {
	_cleanup_(x_freep) const char **given = NULL;

	given = arguments_get_all(invocation->arguments, "header", &command->header_count);
	if (command->header_count == 0)
		return ADMIN_OK;
	command->headers = arena_zalloc(arena, command->header_count * sizeof(*command->headers));
	for (size_t i = 0; i < command->header_count; i++) {
		size_t len = strcspn(given[i], ":");

		command->headers[i].name = arena_strndup(arena, given[i], len);
		if (!given[i][len])
			continue;
		command->headers[i].value = read_value(given[i] + len + 1, arena);
		if (!command->headers[i].value)
			return ADMIN_USAGE;
	}
	return ADMIN_OK;
}

/* Shows the outcome with the secret in it opened. */
static enum admin_status show_opened(const struct invocation *invocation,
				     const struct analytic_event *outcome,
				     const uint8_t private_key[BOX_KEY_LEN]) {
	struct analytic_event opened = *outcome;
	char secret[WEBHOOK_SECRET_TEXT_SIZE];
	enum admin_status status;

	if (outcome->data.kind != EVENT_DATA_SECRET || !outcome->data.secret.secret)
		return show_outcome(outcome, invocation->json);
	if (webhook_secret_open(private_key, outcome->data.secret.secret, secret)) {
		terminal_complain("the answer is not sealed for who asked");
		return ADMIN_USAGE;
	}
	opened.data.secret.secret = secret;
	status = show_outcome(&opened, invocation->json);
	sodium_memzero(secret, sizeof(secret));
	return status;
}

enum admin_status secret_show(const struct invocation *invocation) {
	const struct command_client_options options = { .awaits_outcomes = true,
							.timeout_ms = invocation->timeout_ms };
	struct command command = { .operation = OPERATION_RETRIEVE_SECRET,
				   .id = call_operand(invocation) };
	_cleanup_(call_close) struct call call;
	uint8_t private_key[BOX_KEY_LEN];
	char public_key[BOX_KEY_TEXT_SIZE];
	struct analytic_event outcome;
	enum admin_status status = call_open(&call, invocation, &options);

	if (status)
		return status;
	webhook_secret_ask(private_key, public_key);
	command.public_key = public_key;
	command.envelope = envelope_from_arguments(invocation, call.arena);
	status = command_client_call(call.client, call.arena, &command, &outcome);
	if (!status)
		status = show_opened(invocation, &outcome, private_key);
	sodium_memzero(private_key, sizeof(private_key));
	return status;
}

enum admin_status secret_rotate(const struct invocation *invocation) {
	return call_and_show(invocation, &(struct command){ .operation = OPERATION_ROTATE_SECRET,
							    .id = call_operand(invocation) });
}
