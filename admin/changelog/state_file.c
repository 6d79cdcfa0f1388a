#include "changelog/state_file.h"

#include "avro/json_parse.h"
#include "base/clock.h"
#include "base/invariant.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

/* A record is at most 10 MiB (message.max.bytes); base64 makes a third more of it. */
enum { LINE_MAX_BYTES = 64 * 1024 * 1024, HASH_BYTES = crypto_generichash_BYTES, VERSION = 1 };

static void json_release(json_t **json) {
	json_decref(*json);
}

static void file_closep(FILE **file) {
	if (*file)
		fclose(*file);
}

const char *state_tenant(const struct state_record *record) {
	switch (record->kind) {
	case STATE_WEBHOOK:
		return record->webhook.tenant_id;
	case STATE_SIGNING_KEY:
		return record->signing_key.tenant_id;
	case STATE_DELIVERY:
		return record->delivery.tenant_id;
	case STATE_RECEIPT:
		return record->receipt.tenant_id;
	case STATE_POSITION:
		return NULL;
	case STATE_KIND_COUNT:
		break;
	}
	impossible("a record has a kind");
}

/* Writing. */

struct state_file_writer {
	char *path, *part; /* owned; its name, and the one until it is complete */
	FILE *file;        /* owned */
	crypto_generichash_state hash;
	uint64_t records;
	struct buffer line;
};

static enum admin_status complain_of_file(const char *path) {
	terminal_complain("%s: %s", path, strerror(errno));
	return ADMIN_REFUSED;
}

static enum admin_status put_line(struct state_file_writer *writer) {
	buffer_append_char(&writer->line, '\n');
	if (writer->line.overflowed)
		errno = EFBIG;
	else if (fwrite(writer->line.data, 1, writer->line.len, writer->file) == writer->line.len) {
		crypto_generichash_update(&writer->hash, (const uint8_t *)writer->line.data,
					  writer->line.len);
		buffer_clear(&writer->line);
		return ADMIN_OK;
	}
	return complain_of_file(writer->part);
}

static enum admin_status put_head(struct state_file_writer *writer,
				  const struct state_file_head *head) {
	char created_at[CLOCK_ISO8601_SIZE];

	clock_format_iso8601(head->created_at_ms, created_at);
	buffer_printf(&writer->line,
		      "{\"format\":\"posthorn-state\",\"version\":%d,\"tenantId\":", VERSION);
	buffer_append_json_string_or_null(&writer->line, head->tenant_id);
	buffer_printf(&writer->line, ",\"createdAt\":\"%s\"}", created_at);
	return put_line(writer);
}

/* One that an export left behind that was killed may have another owner and mode: it is not taken.
 */
static int open_part(const char *part) {
	unlink(part);
	return open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

enum admin_status state_file_create(const char *path, const struct state_file_head *head,
				    struct state_file_writer **out) {
	_cleanup_(state_file_writer_freep) struct state_file_writer *writer =
	    x_calloc(1, sizeof(*writer));
	enum admin_status status;
	int fd;

	if (access(path, F_OK) == 0) {
		terminal_complain("%s exists, and is never written over", path);
		return ADMIN_USAGE;
	}
	writer->path = x_strdup(path);
	writer->part = x_asprintf("%s.part", path);
	writer->line = BUFFER_INIT(LINE_MAX_BYTES);
	crypto_generichash_init(&writer->hash, NULL, 0, HASH_BYTES);
	fd = open_part(writer->part);
	if (fd < 0)
		return complain_of_file(writer->part);
	writer->file = x_checked(fdopen(fd, "w"));
	status = put_head(writer, head);
	if (!status)
		*out = TAKE(writer);
	return status;
}

enum admin_status state_file_add(struct state_file_writer *writer,
				 const struct state_file_record *record) {
	buffer_append_string(&writer->line, "{\"key\":");
	buffer_append_json_string(&writer->line, record->key);
	buffer_append_string(&writer->line, ",\"tenantId\":");
	buffer_append_json_string(&writer->line, record->tenant_id);
	buffer_append_string(&writer->line, ",\"record\":\"");
	buffer_append_base64(&writer->line, record->value, record->len);
	buffer_append_string(&writer->line, "\"}");
	writer->records++;
	return put_line(writer);
}

static void append_hash(struct buffer *out, crypto_generichash_state *hash) {
	uint8_t bytes[HASH_BYTES];
	char hex[2 * HASH_BYTES + 1];

	crypto_generichash_final(hash, bytes, sizeof(bytes));
	buffer_append_string(out, sodium_bin2hex(hex, sizeof(hex), bytes, sizeof(bytes)));
}

/* The name too is to outlive a loss of power. */
static int sync_folder(const char *path) {
	const char *slash = strrchr(path, '/');
	_cleanup_(x_freep) char *folder =
	    slash ? x_strndup(path, (size_t)(slash - path) + 1) : x_strdup(".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = fd < 0 ? -1 : fsync(fd);

	if (fd >= 0)
		close(fd);
	return r;
}

enum admin_status state_file_end(struct state_file_writer *writer) {
	enum admin_status status;

	buffer_printf(&writer->line, "{\"records\":%" PRIu64 ",\"blake2b\":\"", writer->records);
	append_hash(&writer->line, &writer->hash);
	buffer_append_string(&writer->line, "\"}");
	status = put_line(writer);
	if (status)
		return status;
	if (fflush(writer->file) || fsync(fileno(writer->file)) ||
	    link(writer->part, writer->path) || sync_folder(writer->path))
		return complain_of_file(writer->path);
	return ADMIN_OK;
}

void state_file_writer_free(struct state_file_writer *writer) {
	if (!writer)
		return;
	if (writer->file) {
		fclose(writer->file);
		unlink(writer->part);
	}
	buffer_destroy(&writer->line);
	free(writer->path);
	free(writer->part);
	free(writer);
}

/* Reading. */

struct walk {
	const char *path;
	struct codec *codec;
	state_file_fn fn;
	void *userdata;
	struct arena *arena;
	crypto_generichash_state hash;
	uint64_t records, line;
	bool is_at_end; /* the last line was read */
};

static enum admin_status complain(const struct walk *walk, const char *rule) {
	terminal_complain("%s: line %" PRIu64 ": %s", walk->path, walk->line, rule);
	return ADMIN_REFUSED;
}

static const char *text_of(const json_t *json, const char *name) {
	return json_string_value(json_object_get(json, name));
}

static enum admin_status judge_head(const struct walk *walk, const json_t *json) {
	const char *format = text_of(json, "format");

	if (!format || strcmp(format, "posthorn-state") != 0)
		return complain(walk, "it is no head of a state file");
	if (json_integer_value(json_object_get(json, "version")) != VERSION)
		return complain(walk, "its version is none of this posthorn's: 1");
	return ADMIN_OK;
}

static enum admin_status judge_end(struct walk *walk, const json_t *json) {
	_cleanup_(buffer_destroy) struct buffer hash = BUFFER_INIT(2 * HASH_BYTES);
	const char *told = text_of(json, "blake2b");

	append_hash(&hash, &walk->hash);
	if ((uint64_t)json_integer_value(json_object_get(json, "records")) != walk->records)
		return complain(walk, "the number of records is another: lines are missing");
	if (!told || strcmp(told, hash.data) != 0)
		return complain(walk, "the checksum is another: the file was changed");
	walk->is_at_end = true;
	return ADMIN_OK;
}

/* The record's key and tenant are in the record too. */
static enum admin_status judge_record(struct walk *walk, const struct state_file_record *record) {
	struct state_record state;
	struct state_key key;
	const char *why = NULL, *tenant;

	if (codec_decode_state(walk->codec, walk->arena, record->value, record->len, &state, &why))
		return complain(walk, arena_printf(walk->arena, "the record: %s", why));
	key = state_record_key(&state);
	tenant = state_tenant(&state);
	if (!tenant)
		return complain(walk, "a position belongs to one changelog alone");
	if (strcmp(state_key_format(walk->arena, &key), record->key) != 0)
		return complain(walk, "key is not the record's");
	if (strcmp(tenant, record->tenant_id) != 0)
		return complain(walk, "tenantId is not the record's");
	return ADMIN_OK;
}

static enum admin_status take_record(struct walk *walk, const json_t *json) {
	struct state_file_record record = { .key = text_of(json, "key"),
					    .tenant_id = text_of(json, "tenantId") };
	const char *text = text_of(json, "record");
	size_t room = text ? strlen(text) : 0;
	uint8_t *bytes = arena_alloc(walk->arena, room + 1);
	enum admin_status status;

	if (!record.key || !record.tenant_id || !text)
		return complain(walk, "it must have key, tenantId and record");
	if (sodium_base642bin(bytes, room, text, room, NULL, &record.len, NULL,
			      sodium_base64_VARIANT_ORIGINAL))
		return complain(walk, "record is not base64");
	record.value = bytes;
	walk->records++;
	status = walk->fn ? ADMIN_OK : judge_record(walk, &record);
	return !status && walk->fn ? walk->fn(walk->userdata, &record) : status;
}

static enum admin_status take_line(struct walk *walk, const char *line, size_t len) {
	_cleanup_(json_release) json_t *json = json_parse(line, len, JSON_REJECT_DUPLICATES, NULL);
	enum admin_status status;

	walk->line++;
	if (walk->is_at_end)
		return complain(walk, "it follows the end");
	if (!json_is_object(json))
		return complain(walk, "it is no JSON object");
	if (walk->line > 1 && json_object_get(json, "blake2b"))
		return judge_end(walk, json);
	status = walk->line == 1 ? judge_head(walk, json) : take_record(walk, json);
	crypto_generichash_update(&walk->hash, (const uint8_t *)line, len);
	arena_reset(walk->arena);
	return status;
}

static enum admin_status take_lines(struct walk *walk, FILE *file) {
	_cleanup_(x_freep) char *line = NULL;
	enum admin_status status = ADMIN_OK;
	size_t room = 0;
	ssize_t len;

	while (!status && (len = getline(&line, &room, file)) >= 0)
		status = take_line(walk, line, (size_t)len);
	if (!status && ferror(file))
		return complain_of_file(walk->path);
	return status || walk->is_at_end ? status : complain(walk, "the end is missing");
}

enum admin_status state_file_walk(const char *path, struct codec *codec, state_file_fn fn,
				  void *userdata, uint64_t *records) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(file_closep) FILE *file = fopen(path, "re");
	struct walk walk = {
		.path = path, .codec = codec, .fn = fn, .userdata = userdata, .arena = arena
	};
	enum admin_status status;

	if (!file) {
		(void)complain_of_file(path);
		return ADMIN_USAGE;
	}
	crypto_generichash_init(&walk.hash, NULL, 0, HASH_BYTES);
	status = take_lines(&walk, file);
	*records = walk.records;
	return status;
}
