#include "gateway/token_file.h"

#include "avro/json_parse.h"
#include "base/base64url.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/secret_file.h"
#include "base/utf8.h"
#include "base/uuid.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

enum { RULE_MAX = 1024 };

_Static_assert(TOKEN_HASH_BYTES == crypto_hash_sha256_BYTES, "hashes are SHA-256");

static void json_release(json_t **json) {
	json_decref(*json);
}

void token_destroy(struct token *token) {
	free(token->id);
	free(token->tenant_id);
	*token = (struct token){ 0 };
}

void token_list_destroy(struct token_list *list) {
	for (size_t i = 0; i < list->count; i++)
		token_destroy(&list->items[i]);
	free(list->items);
	*list = (struct token_list){ 0 };
}

static int by_hash(const void *a, const void *b) {
	return memcmp(((const struct token *)a)->hash, ((const struct token *)b)->hash,
		      TOKEN_HASH_BYTES);
}

void token_list_sort(struct token_list *list) {
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), by_hash);
}

static void hash_text(const char *text, uint8_t out[TOKEN_HASH_BYTES]) {
	crypto_hash_sha256(out, (const uint8_t *)text, strlen(text));
}

const struct token *token_list_find(const struct token_list *list, const char *text) {
	struct token wanted = { 0 };

	hash_text(text, wanted.hash);
	return list->count
		   ? bsearch(&wanted, list->items, list->count, sizeof(*list->items), by_hash)
		   : NULL;
}

/* Takes ownership of the token. */
static void append_token(struct token_list *list, const struct token *token) {
	if (list->count == list->capacity) {
		list->capacity = MAX(2 * list->capacity, (size_t)8);
		list->items = x_realloc(list->items, list->capacity * sizeof(*list->items));
	}
	list->items[list->count++] = *token;
}

/* --- Reading --- */

static int refuse_line(struct buffer *why, const char *file, size_t line, const char *rule) {
	buffer_printf(why, "%s: line %zu: %s", file, line, rule);
	return TOKEN_FILE_E_REFUSED;
}

static const char *parse_token(const char *line, size_t len, struct token *out) {
	_cleanup_(json_release) json_t *json = json_parse(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *id, *tenant, *hash, *created_at;
	size_t hash_len = 0;

	if (!json || json_unpack(json, "{s:s, s:s, s:s, s:s !}", "id", &id, "tenantId", &tenant,
				 "hash", &hash, "createdAt", &created_at))
		return "must be an object of id, tenantId, hash and createdAt";
	if (!*tenant || strlen(tenant) > TENANT_ID_MAX)
		return "tenantId must have 1 to 256 bytes";
	if (base64url_decode(hash, strlen(hash), out->hash, sizeof(out->hash), &hash_len) ||
	    hash_len != sizeof(out->hash))
		return "hash must be 32 bytes as base64url";
	if (clock_parse_iso8601(created_at, &out->created_at_ms))
		return "createdAt must be a time such as 2026-01-31T12:00:00.000Z";
	out->id = x_strdup(id);
	out->tenant_id = x_strdup(tenant);
	return NULL;
}

static int parse_all(const char *file, const char *text, struct token_list *out,
		     struct buffer *why) {
	for (size_t number = 1; *text; number++) {
		size_t len = strcspn(text, "\n");
		struct token token = { 0 };
		const char *wrong = len ? parse_token(text, len, &token) : NULL;

		if (wrong)
			return refuse_line(why, file, number, wrong);
		if (len)
			append_token(out, &token);
		text += len + (text[len] == '\n');
	}
	return 0;
}

static int read_all(int fd, struct buffer *out) {
	for (;;) {
		char *room = buffer_reserve(out, 4096);
		ssize_t len;

		if (!room)
			return -EFBIG;
		len = read(fd, room, 4096);
		if (len <= 0)
			return len < 0 ? -errno : 0;
		out->len += (size_t)len;
		out->data[out->len] = '\0';
	}
}

/* A file that does not exist is empty. */
static int read_text(const char *file, struct buffer *text, struct stat *at, struct buffer *why) {
	_cleanup_(buffer_destroy) struct buffer rule = BUFFER_INIT(RULE_MAX);
	_cleanup_(fd_closep) int fd = -1;
	int r = secret_file_open(file, &fd, &rule);

	if (r == -ENOENT)
		return 0;
	if (r == SECRET_FILE_E_REFUSED) {
		buffer_printf(why, "%s %s", file, rule.data);
		return TOKEN_FILE_E_REFUSED;
	}
	if (r < 0 || fstat(fd, at) < 0)
		return r < 0 ? r : -errno;
	return read_all(fd, text);
}

int token_file_read(const char *file, struct token_list *out, struct stat *at, struct buffer *why) {
	_cleanup_(buffer_destroy) struct buffer text = BUFFER_INIT(TOKENS_FILE_MAX);
	_cleanup_(token_list_destroy) struct token_list list = { 0 };
	struct stat stat = { 0 };
	int r = read_text(file, &text, &stat, why);

	if (r)
		return r;
	if (text.len && !utf8_is_text(text.data, text.len))
		return refuse_line(why, file, 1, "the file must be UTF-8 text");
	r = text.len ? parse_all(file, text.data, &list, why) : 0;
	if (r)
		return r;
	if (at)
		*at = stat;
	*out = list;
	list = (struct token_list){ 0 };
	return 0;
}

/* --- Writing --- */

static void append_line(struct buffer *out, const struct token *token) {
	char created_at[CLOCK_ISO8601_SIZE];

	clock_format_iso8601(token->created_at_ms, created_at);
	buffer_append_string(out, "{\"id\":");
	buffer_append_json_string(out, token->id);
	buffer_append_string(out, ",\"tenantId\":");
	buffer_append_json_string(out, token->tenant_id);
	buffer_append_string(out, ",\"hash\":\"");
	buffer_append_base64url(out, token->hash, sizeof(token->hash));
	buffer_printf(out, "\",\"createdAt\":\"%s\"}\n", created_at);
}

static int write_all(int fd, const struct buffer *text) {
	for (size_t done = 0; done < text->len;) {
		ssize_t len = write(fd, text->data + done, text->len - done);

		if (len < 0)
			return -errno;
		done += (size_t)len;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* Keeps the group that may read the file: root's may have one, any other owner's is readable by its
 * owner alone. */
static int keep_reader(int fd, const char *file) {
	struct stat old;

	if (geteuid() != 0 || stat(file, &old) < 0 || !(old.st_mode & S_IRGRP))
		return 0;
	return fchown(fd, (uid_t)-1, old.st_gid) < 0 || fchmod(fd, S_IRUSR | S_IWUSR | S_IRGRP) < 0
		   ? -errno
		   : 0;
}

static int replace_file(const char *file, const struct buffer *text) {
	_cleanup_(x_freep) char *temporary = x_asprintf("%s.new", file);
	_cleanup_(fd_closep) int fd = -1;
	int r;

	/* An existing file was left behind by a process that died: nobody else writes it under the
	 * lock. */
	if (unlink(temporary) < 0 && errno != ENOENT)
		return -errno;
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text);
	if (!r)
		r = keep_reader(fd, file);
	if (!r && rename(temporary, file) < 0)
		r = -errno;
	if (r)
		unlink(temporary);
	return r;
}

static int write_list(const char *file, const struct token_list *list) {
	_cleanup_(buffer_destroy) struct buffer text = BUFFER_INIT(TOKENS_FILE_MAX);

	for (size_t i = 0; i < list->count; i++)
		append_line(&text, &list->items[i]);
	return text.overflowed ? -EFBIG : replace_file(file, &text);
}

/* Follows links, so that their target is locked and replaced, and a link stays a link. */
static char *resolve_links(const char *file) {
	char *resolved = realpath(file, NULL);

	return resolved ? resolved : x_strdup(file);
}

/* Returns a descriptor that holds the lock until it is closed, or a negative errno. */
static int lock_file(const char *file) {
	_cleanup_(x_freep) char *name = x_asprintf("%s.lock", file);
	_cleanup_(fd_closep) int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int taken = fd;

	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return -errno;
	fd = -1;
	return taken;
}

static void token_make(const char *tenant_id, char text[TOKEN_TEXT_SIZE], struct token *out) {
	struct uuid id = uuid_random();
	uint8_t secret[32];

	randombytes_buf(secret, sizeof(secret));
	stpcpy(text, "phk_");
	sodium_bin2base64(text + 4, TOKEN_TEXT_SIZE - 4, secret, sizeof(secret),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(secret, sizeof(secret));
	*out = (struct token){ .id = x_calloc(1, UUID_TEXT_SIZE),
			       .tenant_id = x_strdup(tenant_id),
			       .created_at_ms = clock_wall_ms() };
	uuid_format(&id, out->id);
	hash_text(text, out->hash);
}

int token_file_add(const char *file, const char *tenant_id, char text[TOKEN_TEXT_SIZE],
		   struct token *out, struct buffer *why) {
	_cleanup_(token_list_destroy) struct token_list list = { 0 };
	_cleanup_(x_freep) char *resolved = resolve_links(file);
	_cleanup_(fd_closep) int locked = lock_file(resolved);
	struct token token, kept;
	int r = locked < 0 ? locked : token_file_read(resolved, &list, NULL, why);

	if (r)
		return r;
	token_make(tenant_id, text, &token);
	kept = token;
	kept.id = x_strdup(token.id);
	kept.tenant_id = x_strdup(token.tenant_id);
	append_token(&list, &token);
	r = write_list(resolved, &list);
	if (r)
		token_destroy(&kept);
	else
		*out = kept;
	return r;
}

int token_file_remove(const char *file, const char *id, bool *found, struct buffer *why) {
	_cleanup_(token_list_destroy) struct token_list list = { 0 };
	_cleanup_(x_freep) char *resolved = resolve_links(file);
	_cleanup_(fd_closep) int locked = lock_file(resolved);
	int r = locked < 0 ? locked : token_file_read(resolved, &list, NULL, why);
	size_t kept = 0;

	if (r)
		return r;
	for (size_t i = 0; i < list.count; i++) {
		if (!strcmp(list.items[i].id, id))
			token_destroy(&list.items[i]);
		else
			list.items[kept++] = list.items[i];
	}
	*found = kept < list.count;
	list.count = kept;
	return *found ? write_list(resolved, &list) : 0;
}
