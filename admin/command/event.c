#include "command/call.h"
#include "command/flags.h"
#include "command/issuance_file.h"

static const struct flag publish_flags[] = {
	{ "file", "FILE", "JSON lines, or a JSON object or array; - is stdin" },
	{ "wait", NULL, "with --file: wait for every outcome" },
	{ "type", "TYPE", "one of event.types; without --file, required" },
	{ "subject", "TEXT", "what the event is about" },
	{ "payload", "JSON", "any JSON value but null; without --file, required" },
	ENVELOPE_FLAGS,
	{ 0 },
};

static const char *const required_flags[] = { "type", "payload" };

static enum admin_status publish_one(const struct invocation *invocation) {
	const struct command_client_options options = { .topic = TOPIC_EVENTS,
							.awaits_outcomes = true,
							.timeout_ms = invocation->timeout_ms };
	const struct arguments *arguments = invocation->arguments;
	_cleanup_(call_close) struct call call = { 0 };
	struct event_command event;
	enum admin_status status = flags_check_single(invocation, "event publish", required_flags,
						      ARRAY_LEN(required_flags));

	if (!status)
		status = call_open(&call, invocation, &options);
	if (status)
		return status;
	event = (struct event_command){
		.envelope = envelope_from_arguments(invocation, call.arena),
		.event_type = arguments_get(arguments, "type"),
		.subject = arguments_get(arguments, "subject"),
		.payload = arguments_get(arguments, "payload"),
	};
	return call_end(&call, command_client_send_event(call.client, &event), &event.envelope);
}

static enum admin_status publish(const struct invocation *invocation) {
	enum admin_status status;

	if (!arguments_has(invocation->arguments, "file"))
		return publish_one(invocation);
	status = issuance_file_check_flags(invocation);
	return status ? status : issuance_file_send(invocation, TOPIC_EVENTS);
}

const struct subcommand event_subcommands[] = {
	{
	    .family = "event",
	    .verb = "publish",
	    .summary = "publish an event of one's own, or all events of a file",
	    .details = "With flags: one event, whose outcome is awaited.\n"
		       "With --file: objects with the field names of event-command.avsc. tenantId "
		       "is that of the object or of\n"
		       "--tenant; an absent commandId, requestId or timestamp is generated. "
		       "payload is any JSON value, and\n"
		       "reaches the receivers byte for byte.\n"
		       "A wrong object is reported with its line and not sent; the others are "
		       "sent, and the exit status is 1.\n"
		       "Outcomes are awaited only with --wait; --timeout is then the longest wait "
		       "for the next outcome.\n",
	    .examples = "event publish --tenant acme --type CredentialRevoked --subject c-1 "
			"--payload '{\"reason\":\"lost\"}'\n"
			"event publish --file events.jsonl --wait\n",
	    .flags = publish_flags,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = publish,
	},
	{ 0 },
};
