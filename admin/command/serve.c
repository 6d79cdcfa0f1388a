#include "command/command.h"
#include "gateway/gateway.h"

static enum admin_status serve_api(const struct invocation *invocation) {
	return gateway_run(invocation->config, invocation->source, POSTHORN_VERSION,
			   invocation->timeout_ms);
}

const struct subcommand serve_subcommands[] = {
	{
	    .family = "serve",
	    .summary = "serve the HTTP API at gateway.listen",
	    .details =
		"Requests become commands on webhook-admin, and are answered with the "
		"outcome of a worker. Any number of gateways run\n"
		"beside each other. /livez, /readyz and /metrics are at "
		"gateway.operations.listen. SIGTERM ends it when waiting requests\n"
		"are answered. SIGHUP has it read its certificate, its tokens, log.level and "
		"log.format again; a changed certificate\n"
		"and changed tokens it reads by itself. `token create` makes tokens.\n",
	    .examples =
		"serve\n"
		"serve --set gateway.listen=[::]:443 --set gateway.tls.certificate.file=cert.pem "
		"--set gateway.tls.key.file=key.pem\n",
	    .needs = CONFIG_NEED_KAFKA | CONFIG_NEED_GATEWAY,
	    .run = serve_api,
	},
	{ 0 },
};
