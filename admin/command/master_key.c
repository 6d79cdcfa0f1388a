#include "signature/master_key.h"

#include "base/buffer.h"
#include "command/command.h"

#include <stdio.h>

enum { WHY_MAX = 4096 };

static enum admin_status generate(const struct invocation *invocation) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX), out = BUFFER_INIT(WHY_MAX);
	_cleanup_(master_key_freep) struct master_key *key = NULL;
	const char *file = invocation->config->worker_master_key_file;

	if (master_key_generate(file, &why) || master_key_load(file, &key, &why)) {
		complain_lines(why.len ? why.data : "the master key could not be written");
		return ADMIN_USAGE;
	}
	if (!invocation->json) {
		printf("%s: master key %s. Keep a copy in a safe place: every tenant's signing keys follow from it.\n", file,
		       master_key_id(key));
		return ADMIN_OK;
	}
	buffer_append_string(&out, "{\"file\":");
	buffer_append_json_string(&out, file);
	buffer_append_string(&out, ",\"id\":");
	buffer_append_json_string(&out, master_key_id(key));
	buffer_append_string(&out, "}");
	puts(out.data);
	return ADMIN_OK;
}

const struct subcommand master_key_subcommands[] = {
	{
		.family = "master-key",
		.verb = "generate",
		.summary = "write a new master key to worker.master.key.file (mode 0600), never over a file that exists",
		.examples = "master-key generate --config posthorn.properties\n"
			    "master-key generate --set worker.master.key.file=/etc/posthorn/master.key\n",
		.needs = CONFIG_NEED_MASTER_KEY,
		.run = generate,
	},
	{ 0 },
};
