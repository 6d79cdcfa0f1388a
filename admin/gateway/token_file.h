/*
 * The tokens' file (gateway.tokens.file): who may ask in which tenant's name. JSON lines, one a
 * token:
 *
 *     {"id":"<uuid>","tenantId":"acme","hash":"<SHA-256 of the token,
 * base64url>","createdAt":"2026-01-31T12:00:00.000Z"}
 *
 * A token is "phk_" and 256 random bits as base64url. Of a secret that nobody can guess a plain
 * SHA-256 is enough: a slow password hash makes guessing dear, and there is nothing to guess in 256
 * bits; it would only make every request dear. Source: NIST SP 800-63B section 5.1.2.2 (look-up
 * secrets of 112 bits or more need no salt).
 *
 * It is a secret file (base/secret_file.h), and replaced as a whole (temporary file, fsync, rename;
 * mode 0600, or the 0640 and the group that root's had) under a lock on `<file>.lock`, so that a
 * reader sees the old or the new one, and two writers lose nothing. A link to it stays.
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
/* By hash, for token_list_find. */
void token_list_sort(struct token_list *list);
/*
 * The token that is written `text`, or NULL. What is compared is the hash: how long that takes
 * tells of the hash of a wrong token, of which whoever asks can choose nothing, and so not how much
 * of the token was right. `list` is sorted.
 */
const struct token *token_list_find(const struct token_list *list, const char *text);

enum { TOKEN_FILE_E_REFUSED = 1 };

/*
 * Reads it; one that is not there has no tokens. `*at` (may be NULL) tells what was read. Returns
 * 0; TOKEN_FILE_E_REFUSED with the reason in `why`, also where its owner or mode is refused; or a
 * negative errno.
 */
int token_file_read(const char *file, struct token_list *out, struct stat *at,
		    struct buffer *why) _must_check_;

/* Makes a token of `tenant_id` and adds it; `text` is shown once and kept nowhere. Returns as
 * above. */
int token_file_add(const char *file, const char *tenant_id, char text[TOKEN_TEXT_SIZE],
		   struct token *out, struct buffer *why) _must_check_;
/* Takes the token `id` out; `*found` tells whether it was there. Returns as above. */
int token_file_remove(const char *file, const char *id, bool *found,
		      struct buffer *why) _must_check_;

void token_destroy(struct token *token);
