/* The tokens that a running gateway knows: the file, read again when it has changed. */
#pragma once

#include "gateway/token_file.h"

struct token_store;

/* Returns 0 with the file read; or as token_file_read. */
int token_store_open(const char *file, struct token_store **out, struct buffer *why) _must_check_;
void token_store_free(struct token_store *store);
DEFINE_CLEANUP(struct token_store, token_store_free)

/*
 * Looks whether the file is another one (device, inode, size, times), and reads it then; one that
 * is gone has no tokens. Of a file that cannot be read what was known stays, with an error in the
 * log, until it can be. One thread.
 */
void token_store_refresh(struct token_store *store);

enum { TOKEN_ID_SIZE = 64 };

/* Whose token it is. Any thread. Returns whether it is known. */
bool token_store_find(struct token_store *store, const char *text,
		      char tenant_id[TENANT_ID_MAX + 1], char id[TOKEN_ID_SIZE]);
size_t token_store_count(struct token_store *store);
