#include "signature/master_keys.h"

#include "base/invariant.h"

struct master_keys {
	size_t count;
	struct master_key *items[]; /* owned */
};

/* The same key in two files is a mistake: a roll from one to the other would change nothing. */
static int refuse_double(const char *const *paths, size_t i, size_t before, struct buffer *why) {
	if (strcmp(paths[i], paths[before]) == 0)
		buffer_printf(why, "master key file %s is named twice", paths[i]);
	else
		buffer_printf(why, "master key file %s holds the same key as %s", paths[i],
			      paths[before]);
	return MASTER_KEY_E_REFUSED;
}

/* Loads the next file. */
static int add_key(struct master_keys *keys, const char *const *paths, struct buffer *why) {
	_cleanup_(master_key_freep) struct master_key *key = NULL;
	int r = master_key_load(paths[keys->count], &key, why);

	if (r < 0) {
		buffer_printf(why, "master key file %s cannot be read: %s", paths[keys->count],
			      strerror(-r));
		return MASTER_KEY_E_REFUSED;
	}
	if (r)
		return r;
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(master_key_id(keys->items[i]), master_key_id(key)) == 0)
			return refuse_double(paths, keys->count, i, why);
	keys->items[keys->count++] = TAKE(key);
	return 0;
}

int master_keys_load(const char *const *paths, size_t count, struct master_keys **out,
		     struct buffer *why) {
	_cleanup_(master_keys_freep) struct master_keys *keys =
	    x_calloc(1, sizeof(*keys) + count * sizeof(struct master_key *));

	invariant(count > 0, "there is a master key to derive new keys from");
	while (keys->count < count) {
		int r = add_key(keys, paths, why);

		if (r)
			return r;
	}
	*out = TAKE(keys);
	return 0;
}

void master_keys_free(struct master_keys *keys) {
	if (!keys)
		return;
	for (size_t i = 0; i < keys->count; i++)
		master_key_free(keys->items[i]);
	free(keys);
}

const struct master_key *master_keys_first(const struct master_keys *keys) {
	return keys->items[0];
}

const struct master_key *master_keys_find(const struct master_keys *keys, const char *id) {
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(master_key_id(keys->items[i]), id) == 0)
			return keys->items[i];
	return NULL;
}

void master_keys_append_ids(const struct master_keys *keys, struct buffer *out) {
	for (size_t i = 0; i < keys->count; i++)
		buffer_printf(out, "%s%s", i ? "," : "", master_key_id(keys->items[i]));
}
