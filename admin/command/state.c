#include "avro/json.h"
#include "changelog/state_read.h"
#include "command/command.h"
#include "command/state_move.h"
#include "kafka/record_codec.h"
#include "replica/replica.h"
#include "terminal/output.h"

#include <errno.h>

/* A record is at most 10 MiB (message.max.bytes); a byte of it may become six in JSON. */
enum { LINE_MAX_BYTES = 64 * 1024 * 1024 };

static const struct flag dump_flags[] = {
	{ "replica", "FILE",
	  "from a worker's SQLite file (<worker.data.dir>/replica.db), not from Kafka; a busy "
	  "worker is up to a second ahead of it" },
	{ 0 },
};

/* The printer of dumps from both sources, whose output is the same at rest. */
struct printer {
	struct codec *codec;
	struct arena *arena;
	struct buffer line;
	uint64_t unreadable;
};

static void append_value(struct printer *printer, const char *key, const void *value, size_t len) {
	struct state_record record;
	const char *why = NULL;

	if (!codec_decode_state(printer->codec, printer->arena, value, len, &record, &why)) {
		json_append_state(&printer->line, &record);
		return;
	}
	printer->unreadable++;
	terminal_complain("%s cannot be read: %s", key, why);
	buffer_append_string(&printer->line, "null");
}

static int print_line(void *userdata, const char *key, int32_t partition, const void *value,
		      size_t len) {
	struct printer *printer = userdata;

	arena_reset(printer->arena);
	buffer_clear(&printer->line);
	buffer_append_string(&printer->line, "{\"key\":");
	buffer_append_json_string(&printer->line, key);
	buffer_printf(&printer->line, ",\"partition\":%d,\"value\":", partition);
	append_value(printer, key, value, len);
	buffer_append_string(&printer->line, "}\n");
	return terminal_print_buffer(stdout, "state dump", &printer->line) ? -EIO : 0;
}

static enum admin_status dump_changelog(const struct invocation *invocation,
					struct printer *printer) {
	_cleanup_(state_fold_freep) struct state_fold *fold = state_fold_new();
	enum admin_status status =
	    state_read(invocation->config,
		       &(struct state_read_options){ .timeout_ms = invocation->timeout_ms }, fold);

	if (status)
		return status;
	return state_fold_walk(fold, print_line, printer) ? ADMIN_REFUSED : ADMIN_OK;
}

static enum admin_status dump_replica(const char *file, struct printer *printer) {
	_cleanup_(replica_closep) struct replica *replica = NULL;
	int r = replica_open_readonly(file, printer->codec, &replica);

	if (r) {
		terminal_complain("%s: %s", file, strerror(-r));
		return ADMIN_USAGE;
	}
	return replica_dump(replica, print_line, printer) ? ADMIN_REFUSED : ADMIN_OK;
}

static enum admin_status dump_state(const struct invocation *invocation) {
	const char *file = arguments_get(invocation->arguments, "replica");
	_cleanup_(codec_freep) struct codec *codec = record_codec_new(invocation->config);
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct printer printer = { .codec = codec,
				   .arena = arena,
				   .line = BUFFER_INIT(LINE_MAX_BYTES) };
	enum admin_status status;

	if (!codec)
		return ADMIN_USAGE;
	status = file ? dump_replica(file, &printer) : dump_changelog(invocation, &printer);
	buffer_destroy(&printer.line);
	return !status && printer.unreadable ? ADMIN_REFUSED : status;
}

const struct subcommand state_subcommands[] = {
	{
	    .family = "state",
	    .verb = "dump",
	    .summary =
		"print the folded changelog: webhooks, keys, deliveries, receipts, positions",
	    .details = "A JSON line for each key, sorted by key and partition: the committed "
		       "records up to the start.\n"
		       "With --replica the same from a worker's file, also beside a running "
		       "worker; at rest both outputs are the same bytes\n"
		       "where the worker owns all partitions.\n",
	    .examples = "state dump --config posthorn.properties\n"
			"state dump --replica posthorn-data/replica.db\n",
	    .flags = dump_flags,
	    .run = dump_state,
	},
	{
	    .family = "state",
	    .verb = "export",
	    .operands = "FILE",
	    .operand_count = 1,
	    .summary = "write the state to a file: webhooks, keys, deliveries, receipts",
	    .details =
		"As it is at one offset of each partition, with a checksum; of one tenant with "
		"--tenant. The\n"
		"file holds credentials of pending deliveries, and is its owner's alone. It is "
		"never written\n"
		"over one that exists.\n"
		"Tells how many commands are not handled yet: a cutover would leave them behind.\n",
	    .examples = "state export --config posthorn.properties state.jsonl\n"
			"state export --config posthorn.properties --tenant acme acme.jsonl\n",
	    .needs = CONFIG_NEED_KAFKA,
	    .run = state_export,
	},
	{
	    .family = "state",
	    .verb = "import",
	    .operands = "FILE",
	    .operand_count = 1,
	    .summary = "write an exported state into new topics, of any number of partitions",
	    .details = "Before the first worker starts there. Ids and keys stay, so nothing is "
		       "sent twice with another id. An import\n"
		       "that was interrupted is begun again, and goes on.\n",
	    .examples = "state import --config new.properties state.jsonl\n",
	    .needs = CONFIG_NEED_KAFKA,
	    .run = state_import,
	},
	{ 0 },
};
