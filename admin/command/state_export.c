#include "base/clock.h"
#include "changelog/state_file.h"
#include "changelog/state_read.h"
#include "command/state_move.h"
#include "command/unhandled.h"
#include "kafka/record_codec.h"

#include <inttypes.h>
#include <stdio.h>

struct export {
	const char *tenant_id; /* NULL: all */
	int64_t began_at_ms;   /* wall */
	struct codec *codec;
	struct arena *arena;
	struct state_file_writer *writer;
	struct unhandled *unhandled;
	uint64_t records, unreadable;
};

/* False for a record that cannot be read, which is told. */
static bool decode(struct export *export, const struct record *record, struct state_record *out) {
	const char *why = NULL;

	arena_reset(export->arena);
	if (!codec_decode_state(export->codec, export->arena, record->value, record->len, out,
				&why))
		return true;
	export->unreadable++;
	terminal_complain("%.*s cannot be read: %s", (int)record->key_len,
			  (const char *)record->key, why);
	return false;
}

/* A position belongs to this changelog alone: it is not kept. */
static bool is_wanted(void *userdata, struct record *record) {
	struct export *export = userdata;
	struct state_record state;
	const char *tenant;

	if (!decode(export, record, &state))
		return false;
	if (state.kind == STATE_POSITION)
		unhandled_note(export->unhandled, record->partition, &state.position);
	tenant = state_tenant(&state);
	return tenant && (!export->tenant_id || !strcmp(tenant, export->tenant_id));
}

static int add_record(void *userdata, const char *key, int32_t partition _unused_,
		      const void *value, size_t len) {
	struct export *export = userdata;
	struct state_file_record record = { .key = key, .value = value, .len = len };
	const struct record folded = {
		.key = key, .key_len = strlen(key), .value = value, .len = len
	};
	struct state_record state;

	if (!decode(export, &folded, &state))
		return ADMIN_REFUSED;
	record.tenant_id = state_tenant(&state);
	export->records++;
	return (int)state_file_add(export->writer, &record);
}

static enum admin_status write_file(struct export *export, const char *path,
				    struct state_fold *fold) {
	_cleanup_(state_file_writer_freep) struct state_file_writer *writer = NULL;
	const struct state_file_head head = { export->tenant_id, export->began_at_ms };
	enum admin_status status = state_file_create(path, &head, &writer);

	export->writer = writer;
	if (!status)
		status = (enum admin_status)state_fold_walk(fold, add_record, export);
	return status ? status : state_file_end(writer);
}

/* For a cutover. A copy is as good where it is not known. */
static void print_result(const struct invocation *invocation, const struct export *export) {
	uint64_t count;
	bool is_known = !unhandled_count(export->unhandled, invocation->config, invocation->tenant,
					 invocation->timeout_ms, &count);

	if (!is_known)
		terminal_complain("whether all commands of the inputs are handled is not known");
	if (invocation->json && is_known)
		printf("{\"records\":%" PRIu64 ",\"unhandled\":%" PRIu64 "}\n", export->records,
		       count);
	else if (invocation->json)
		printf("{\"records\":%" PRIu64 ",\"unhandled\":null}\n", export->records);
	else
		printf("%" PRIu64 " records\n", export->records);
	if (!invocation->json && is_known && count)
		printf("up to %" PRIu64 " commands of the inputs are not handled yet\n", count);
}

enum admin_status state_export(const struct invocation *invocation) {
	const char *path = invocation->arguments->operands[0];
	_cleanup_(codec_freep) struct codec *codec = record_codec_new(invocation->config);
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(state_fold_freep) struct state_fold *fold = state_fold_new();
	_cleanup_(unhandled_freep) struct unhandled *unhandled = unhandled_new();
	struct export export = { .tenant_id = invocation->tenant,
				 .began_at_ms = clock_wall_ms(),
				 .codec = codec,
				 .arena = arena,
				 .unhandled = unhandled };
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
		print_result(invocation, &export);
	return status;
}
