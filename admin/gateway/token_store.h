/* A running gateway's tokens: the file, read again when it has changed. */
#pragma once

#include "gateway/token_file.h"

struct token_store;

/* Reads the file. Returns as token_file_read. */
int token_store_open(const char *file, struct token_store **out, struct buffer *why) _must_check_;
void token_store_free(struct token_store *store);
DEFINE_CLEANUP(struct token_store, token_store_free)

/* Reads the file if it has changed (device, inode, size, times); a removed file has no tokens. If
 * it cannot be read, logs an error and keeps the known tokens. Call it on one thread. */
void token_store_refresh(struct token_store *store);

enum { TOKEN_ID_SIZE = 64 };

/* Finds the tenant and the id of a token. Returns whether it is known. Any thread. */
bool token_store_find(struct token_store *store, const char *text,
		      char tenant_id[TENANT_ID_MAX + 1], char id[TOKEN_ID_SIZE]);
size_t token_store_count(struct token_store *store);
