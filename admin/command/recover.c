#include "command/recover.h"

#include "command/call.h"
#include "command/flags.h"

const struct flag recover_flags[] = {
	{ "since", "TIME",
	  "2026-01-31T12:00:00.000Z, or a duration back from now such as 2h (required)" },
	{ "until", "TIME", "only those that ended then or before" },
	{ "subject", "SUBJECT", "only those of this subject; of a credential its credentialId" },
	{ "status", "dead|succeeded",
	  "those that died (default), or that succeeded and are kept by "
	  "delivery.succeeded.retention" },
	ENVELOPE_FLAGS,
	{ 0 },
};

enum admin_status recover_deliveries(const struct invocation *invocation) {
	struct command command = { .operation = OPERATION_RECOVER_DELIVERIES,
				   .id = invocation->arguments->operands[0],
				   .subject = arguments_get(invocation->arguments, "subject"),
				   .status = arguments_get(invocation->arguments, "status") };
	bool given;
	enum admin_status status = flags_read_since(invocation, &given, &command.since_ms);

	if (!status)
		status =
		    flags_read_time(invocation, "until", &command.has_until, &command.until_ms);
	if (status)
		return status;
	if (!given) {
		terminal_complain("--since is needed");
		return ADMIN_USAGE;
	}
	return call_and_show(invocation, &command);
}
