#include "signature/master_keys.h"

#include "base/invariant.h"

#include <stdatomic.h>

/* The keys between two reloads; immutable once it is a worker's. Readers may still use an older
 * one, so that none is freed before the end. */
struct key_set {
	struct key_set *older; /* owned; its keys are among the items */
	size_t count;
	struct master_key *items[];
};

struct master_keys {
	_Atomic(struct key_set *) newest; /* owned, with its items */
};

static const struct master_key *find(const struct key_set *set, const char *id) {
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(master_key_id(set->items[i]), id) == 0)
			return set->items[i];
	return NULL;
}

/* --- A set from files --- */

static struct key_set *set_new(size_t count) {
	invariant(count > 0, "there is a master key to derive new keys from");
	return x_calloc(1, sizeof(struct key_set) + count * sizeof(struct master_key *));
}

static void set_free(struct key_set *set) {
	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++)
		master_key_free(set->items[i]);
	free(set);
}
DEFINE_CLEANUP(struct key_set, set_free)

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
static int add_key(struct key_set *set, const char *const *paths, struct buffer *why) {
	_cleanup_(master_key_freep) struct master_key *key = NULL;
	int r = master_key_load(paths[set->count], &key, why);

	if (r < 0) {
		buffer_printf(why, "master key file %s cannot be read: %s", paths[set->count],
			      strerror(-r));
		return MASTER_KEY_E_REFUSED;
	}
	if (r)
		return r;
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(master_key_id(set->items[i]), master_key_id(key)) == 0)
			return refuse_double(paths, set->count, i, why);
	set->items[set->count++] = TAKE(key);
	return 0;
}

static int load_set(const char *const *paths, size_t count, struct key_set **out,
		    struct buffer *why) {
	_cleanup_(set_freep) struct key_set *set = set_new(count);

	while (set->count < count) {
		int r = add_key(set, paths, why);

		if (r)
			return r;
	}
	*out = TAKE(set);
	return 0;
}

/* --- A worker's --- */

int master_keys_load(const char *const *paths, size_t count, struct master_keys **out,
		     struct buffer *why) {
	struct key_set *set;
	int r = load_set(paths, count, &set, why);

	if (r)
		return r;
	*out = x_calloc(1, sizeof(**out));
	atomic_init(&(*out)->newest, set);
	return 0;
}

static int refuse_loss(const struct key_set *before, const struct key_set *after,
		       struct buffer *why) {
	for (size_t i = 0; i < before->count; i++) {
		const char *id = master_key_id(before->items[i]);

		if (find(after, id))
			continue;
		buffer_printf(why,
			      "master key %s is in none of the files, and may be in use: a "
			      "worker gives a key up only at a restart",
			      id);
		return MASTER_KEY_E_REFUSED;
	}
	return 0;
}

/* Readers hold pointers to the keys of the older set: they stay, and their doubles go. */
static void keep_known(struct key_set *before, struct key_set *after) {
	for (size_t i = 0; i < after->count; i++)
		for (size_t k = 0; k < before->count; k++)
			if (strcmp(master_key_id(after->items[i]),
				   master_key_id(before->items[k])) == 0) {
				master_key_free(after->items[i]);
				after->items[i] = before->items[k];
			}
	after->older = before;
}

int master_keys_reload(struct master_keys *keys, const char *const *paths, size_t count,
		       struct buffer *why) {
	_cleanup_(set_freep) struct key_set *set = NULL;
	struct key_set *before = atomic_load(&keys->newest);
	int r = load_set(paths, count, &set, why);

	if (r == 0)
		r = refuse_loss(before, set, why);
	if (r)
		return r;
	keep_known(before, set);
	atomic_store(&keys->newest, TAKE(set));
	return 0;
}

void master_keys_free(struct master_keys *keys) {
	struct key_set *set, *older;

	if (!keys)
		return;
	set = atomic_load(&keys->newest);
	older = set->older;
	set_free(set);
	for (; older; older = set) {
		set = older->older;
		free(older);
	}
	free(keys);
}

const struct master_key *master_keys_first(const struct master_keys *keys) {
	return atomic_load(&keys->newest)->items[0];
}

const struct master_key *master_keys_find(const struct master_keys *keys, const char *id) {
	return find(atomic_load(&keys->newest), id);
}

void master_keys_append_ids(const struct master_keys *keys, struct buffer *out) {
	const struct key_set *set = atomic_load(&keys->newest);

	for (size_t i = 0; i < set->count; i++)
		buffer_printf(out, "%s%s", i ? "," : "", master_key_id(set->items[i]));
}
