#include "changelog/state_file.h"
#include "changelog/state_read.h"
#include "command/state_move.h"
#include "kafka/record_codec.h"

#include <inttypes.h>
#include <stdio.h>

struct export {
	const char *tenant_id; /* NULL: all */
	struct codec *codec;
	struct arena *arena;
	struct state_file_writer *writer;
	uint64_t records, unreadable;
};

/* Returns NULL for a position, and for a record that cannot be read, which is told. */
static const char *tenant_of(struct export *export, const char *key, size_t key_len,
			     const void *value, size_t len) {
	struct state_record record;
	const char *why = NULL;

	arena_reset(export->arena);
	if (!codec_decode_state(export->codec, export->arena, value, len, &record, &why))
		return state_tenant(&record);
	export->unreadable++;
	terminal_complain("%.*s cannot be read: %s", (int)key_len, key, why);
	return NULL;
}

static bool is_wanted(void *userdata, struct record *record) {
	struct export *export = userdata;
	const char *tenant =
	    tenant_of(export, record->key, record->key_len, record->value, record->len);

	return tenant && (!export->tenant_id || !strcmp(tenant, export->tenant_id));
}

static int add_record(void *userdata, const char *key, int32_t partition _unused_,
		      const void *value, size_t len) {
	struct export *export = userdata;
	struct state_file_record record = { .key = key, .value = value, .len = len };

	record.tenant_id = tenant_of(export, key, strlen(key), value, len);
	export->records++;
	return (int)state_file_add(export->writer, &record);
}

static enum admin_status write_file(struct export *export, const char *path,
				    struct state_fold *fold) {
	_cleanup_(state_file_writer_freep) struct state_file_writer *writer = NULL;
	enum admin_status status = state_file_create(path, export->tenant_id, &writer);

	export->writer = writer;
	if (!status)
		status = (enum admin_status)state_fold_walk(fold, add_record, export);
	return status ? status : state_file_end(writer);
}

enum admin_status state_export(const struct invocation *invocation) {
	const char *path = invocation->arguments->operands[0];
	_cleanup_(codec_freep) struct codec *codec = record_codec_new(invocation->config);
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(state_fold_freep) struct state_fold *fold = state_fold_new();
	struct export export = { .tenant_id = invocation->tenant, .codec = codec, .arena = arena };
	const struct state_read_options options = { .tenant_id = invocation->tenant,
						    .wanted = is_wanted,
						    .userdata = &export,
						    .timeout_ms = invocation->timeout_ms,
						    .to_present = true };
	enum admin_status status =
	    codec ? state_read(invocation->config, &options, fold) : ADMIN_USAGE;

	if (!status && export.unreadable)
		return ADMIN_REFUSED;
	if (!status)
		status = write_file(&export, path, fold);
	if (!status)
		printf(invocation->json ? "{\"records\":%" PRIu64 "}\n" : "%" PRIu64 " records\n",
		       export.records);
	return status;
}
