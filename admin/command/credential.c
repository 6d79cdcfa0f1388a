#include "base/clock.h"
#include "command/call.h"
#include "command/flags.h"
#include "command/issuance_file.h"
#include "command/issuance_json.h"

static const struct flag issue_flags[] = {
	{ "file", "FILE", "JSON lines, or a JSON object or array; - is stdin" },
	{ "wait", NULL, "with --file: wait for every outcome" },
	{ "credential-id", "ID", "without --file, required" },
	{ "credential-configuration-id", "ID", "without --file, required" },
	{ "credential-profile", "NAME", "without --file, required" },
	{ "format", "NAME", "without --file, required" },
	{ "credential", "VALUE", "JSON text, or a compact form such as a JWT" },
	{ "user-id", "ID", "the credential's holder" },
	{ "credential-offer-id", "ID", "the offer behind the credential" },
	{ "session-id", "ID", "the session behind the credential" },
	{ "claims", "JSON", "an object" },
	ENVELOPE_FLAGS,
	{ 0 },
};

static struct issuance from_flags(const struct invocation *invocation, struct arena *arena) {
	const struct arguments *arguments = invocation->arguments;
	const char *credential = arguments_get(arguments, "credential");

	return (struct issuance){
		.envelope = envelope_from_arguments(invocation, arena),
		.user_id = arguments_get(arguments, "user-id"),
		.credential_id = arguments_get(arguments, "credential-id"),
		.credential_configuration_id =
		    arguments_get(arguments, "credential-configuration-id"),
		.credential_profile = arguments_get(arguments, "credential-profile"),
		.format = arguments_get(arguments, "format"),
		.credential_offer_id = arguments_get(arguments, "credential-offer-id"),
		.session_id = arguments_get(arguments, "session-id"),
		.claims = arguments_get(arguments, "claims"),
		.credential = credential ? issuance_credential_text(arena, credential) : "",
	};
}

static const char *const required_flags[] = { "credential-id", "credential-configuration-id",
					      "credential-profile", "format" };

static enum admin_status issue_one(const struct invocation *invocation) {
	const struct command_client_options options = { .topic = TOPIC_ISSUANCE,
							.awaits_outcomes = true,
							.timeout_ms = invocation->timeout_ms };
	_cleanup_(call_close) struct call call = { 0 };
	struct issuance issuance;
	enum admin_status status = flags_check_single(invocation, "credential issue",
						      required_flags, ARRAY_LEN(required_flags));

	if (!status)
		status = call_open(&call, invocation, &options);
	if (status)
		return status;
	issuance = from_flags(invocation, call.arena);
	return call_end(&call, command_client_send_issuance(call.client, &issuance),
			&issuance.envelope);
}

static enum admin_status issue(const struct invocation *invocation) {
	enum admin_status status;

	if (!arguments_has(invocation->arguments, "file"))
		return issue_one(invocation);
	status = issuance_file_check_flags(invocation);
	return status ? status : issuance_file_send(invocation, TOPIC_ISSUANCE);
}

const struct subcommand credential_subcommands[] = {
	{
	    .family = "credential",
	    .verb = "issue",
	    .summary = "report an issued credential, or all credentials of a file",
	    .details = "With flags: one credential, whose outcome is awaited.\n"
		       "With --file: objects with the field names of "
		       "credential-issuance-command.avsc. tenantId is that of the\n"
		       "object or of --tenant; an absent commandId, requestId or timestamp is "
		       "generated. claims is an object.\n"
		       "credential is an object, or a string: JSON text if it begins with { or \", "
		       "else a compact form.\n"
		       "A wrong object is reported with its line and not sent; the others are "
		       "sent, and the exit status is 1.\n"
		       "Outcomes are awaited only with --wait; --timeout is then the longest wait "
		       "for the next outcome.\n",
	    .examples = "credential issue --tenant acme --credential-id c-1 "
			"--credential-configuration-id Degree "
			"--credential-profile ietf --format dc+sd-jwt --credential "
			"eyJhbGciOiJFZERTQSJ9.e30.c2ln\n"
			"credential issue --file credentials.jsonl --wait\n"
			"credential issue --tenant acme --file - --json < credentials.jsonl\n",
	    .flags = issue_flags,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = issue,
	},
	{ 0 },
};
