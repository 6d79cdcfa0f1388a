/*
 * The tokens' file (gateway.tokens.file). A token authorises requests in the name of its tenant.
 * The file has a JSON object on each line:
 *
 *     {"id":"<uuid>","tenantId":"acme","hash":"<SHA-256 of the token, base64url>",
 *      "createdAt":"2026-01-31T12:00:00.000Z"}
 *
 * A token is "phk_" and 256 random bits as base64url. A plain SHA-256 is enough for it: a slow
 * password hash would make guessing expensive, and 256 random bits cannot be guessed anyway.
 * Source: NIST SP 800-63B section 5.1.2.2 (look-up secrets of 112 bits or more need no salt).
 *
 * It is a secret file (base/secret_file.h). A writer replaces it as a whole (temporary file, fsync,
 * rename; mode 0600, or 0640 and the group of root's old file) under a lock on `<file>.lock`: a
 * reader sees the old or the new content, and two writers lose nothing. A link to it stays.
 */
#pragma once

#include "base/buffer.h"
#include "domain/limits.h"

#include <sys/stat.h>

enum {
	TOKEN_HASH_BYTES = 32,
	TOKEN_TEXT_SIZE = sizeof("phk_") + 43,
	TOKENS_FILE_MAX = 64 * 1024 * 1024
};

struct token {
	char *id;        /* owned */
	char *tenant_id; /* owned */
	uint8_t hash[TOKEN_HASH_BYTES];
	int64_t created_at_ms; /* wall */
};

struct token_list {
	struct token *items; /* owned; in the order of the file, or sorted by hash */
	size_t count, capacity;
};

void token_list_destroy(struct token_list *list);
/* Sorts by hash, for token_list_find. */
void token_list_sort(struct token_list *list);
/* Finds the token of that text in a sorted list; NULL: none. It compares hashes: the time that this
 * takes depends on the hash of a wrong token, which its sender cannot choose, and not on how much
 * of the token is right. */
const struct token *token_list_find(const struct token_list *list, const char *text);

enum { TOKEN_FILE_E_REFUSED = 1 };

/* Reads the file; one that does not exist has no tokens. `*at` (may be NULL) identifies the read
 * file. Returns 0; TOKEN_FILE_E_REFUSED with the reason in `why`, also for its owner or mode; or a
 * negative errno. */
int token_file_read(const char *file, struct token_list *out, struct stat *at,
		    struct buffer *why) _must_check_;

/* Adds a new token for `tenant_id`. `text` is stored nowhere. Returns as token_file_read. */
int token_file_add(const char *file, const char *tenant_id, char text[TOKEN_TEXT_SIZE],
		   struct token *out, struct buffer *why) _must_check_;
/* Removes the token `id`; `*found`: whether it existed. Returns as token_file_read. */
int token_file_remove(const char *file, const char *id, bool *found,
		      struct buffer *why) _must_check_;

void token_destroy(struct token *token);
