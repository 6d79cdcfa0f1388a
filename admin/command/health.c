#include "command/command.h"
#include "http/probe.h"
#include "terminal/output.h"

enum { ANSWER_MAX = 4096 };

static enum admin_status ask(const struct invocation *invocation) {
	_cleanup_(buffer_destroy) struct buffer answer = BUFFER_INIT(ANSWER_MAX);
	int r = http_probe(&invocation->config->gateway_operations_listen, "/readyz", &answer);

	if (r < 0) {
		terminal_complain("gateway.operations.listen: %s", strerror(-r));
		return ADMIN_REFUSED;
	}
	if (terminal_print_buffer(stdout, "health", &answer))
		return ADMIN_REFUSED;
	return r ? ADMIN_REFUSED : ADMIN_OK;
}

const struct subcommand health_subcommands[] = {
	{
	    .family = "health",
	    .summary = "ask the running gateway whether it is ready",
	    .details = "Asks gateway.operations.listen for /readyz, for the health check of a "
		       "container. The worker's is posthorn-worker --check-health.\n",
	    .examples = "health\n",
	    .run = ask,
	},
	{ 0 },
};
