/*
 * A worker's master keys: one, or several while one is rolled to the next. The first derives new
 * signing keys. An existing signing key names the id of its own. Each is loaded, locked and wiped
 * as in master_key.h. One thread may reload them while others read; a key that was returned lives
 * as long as the keys.
 */
#pragma once

#include "signature/master_key.h"

#include <stddef.h>

struct master_keys;

/*
 * Loads the files, at least one. Returns 0; or MASTER_KEY_E_REFUSED with a sentence in `why` that
 * names the file: one that master_key_load refuses or cannot read, or whose key an earlier file
 * holds too.
 */
int master_keys_load(const char *const *paths, size_t count, struct master_keys **out,
		     struct buffer *why) _must_check_;
/* Loads the files again: keys may be added, and their order may change. Returns as above, and the
 * keys are as they were then; also where a key of theirs is in none of the files. */
int master_keys_reload(struct master_keys *keys, const char *const *paths, size_t count,
		       struct buffer *why) _must_check_;
void master_keys_free(struct master_keys *keys);
DEFINE_CLEANUP(struct master_keys, master_keys_free)

const struct master_key *master_keys_first(const struct master_keys *keys);
/* Returns NULL where there is no key of this id. */
const struct master_key *master_keys_find(const struct master_keys *keys, const char *id);

/* Appends their ids in order, separated by commas. */
void master_keys_append_ids(const struct master_keys *keys, struct buffer *out);
