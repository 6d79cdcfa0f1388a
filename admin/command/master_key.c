#include "signature/master_key.h"

#include "base/buffer.h"
#include "command/command.h"
#include "terminal/output.h"

#include <stdio.h>
#include <unistd.h>

/* A path, and a sentence about it. */
enum { WHY_MAX = 16 * 1024 };

static const struct flag generate_flags[] = {
	{ "file", "FILE", "the file to write, instead of the first of worker.master.key.file" },
	{ "if-missing", NULL, "keep the key of a file that exists, and print its id" },
	{ 0 },
};

/* The file of --file, else the first configured one; NULL after printing that there is none. */
static const char *file_to_write(const struct invocation *invocation) {
	const struct file_list *configured = &invocation->config->worker_master_key_files;
	const char *file = arguments_get(invocation->arguments, "file");

	if (file || configured->count)
		return file ? file : configured->items[0];
	terminal_complain("no file to write: give --file, or set worker.master.key.file");
	return NULL;
}

/* Writes a new key, unless `keeps` and there is a file. Returns the key as read back, or NULL after
 * printing the reason. */
static struct master_key *write_key(const char *file, bool keeps) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	struct master_key *key = NULL;
	int r = keeps && access(file, F_OK) == 0 ? 0 : master_key_generate(file, &why);

	if (!r)
		r = master_key_load(file, &key, &why);
	if (r < 0)
		terminal_complain("master key file %s cannot be written: %s", file, strerror(-r));
	else if (r)
		terminal_complain_lines(why.data);
	return key;
}

static enum admin_status generate_key(const struct invocation *invocation) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(WHY_MAX);
	const char *file = file_to_write(invocation);
	_cleanup_(master_key_freep) struct master_key *key =
	    file ? write_key(file, arguments_has(invocation->arguments, "if-missing")) : NULL;

	if (!key)
		return ADMIN_USAGE;
	if (!invocation->json) {
		printf("%s: master key %s. Keep a copy in a safe place: every tenant's signing "
		       "keys follow from it.\n",
		       file, master_key_id(key));
		return ADMIN_OK;
	}
	buffer_append_string(&out, "{\"file\":");
	buffer_append_json_string(&out, file);
	buffer_append_string(&out, ",\"id\":");
	buffer_append_json_string(&out, master_key_id(key));
	buffer_append_string(&out, "}");
	buffer_append_char(&out, '\n');
	return terminal_print_buffer(stdout, "master-key generate", &out);
}

const struct subcommand master_key_subcommands[] = {
	{
	    .family = "master-key",
	    .verb = "generate",
	    .summary = "write a new master key (mode 0600), never over a file that exists",
	    .details =
		"To worker.master.key.file; of several, to the first. With --file to any: "
		"so begins the rolling from one master\n"
		"key to the next (docs/operating.md). It prints the key's id, which signing keys "
		"name as their masterKeyId.\n",
	    .examples = "master-key generate --config posthorn.properties\n"
			"master-key generate --file /etc/posthorn/master-2.key\n",
	    .flags = generate_flags,
	    .run = generate_key,
	},
	{ 0 },
};
