#include "gateway/public_keys.h"

#include "changelog/signing_keys.h"
#include "changelog/state_fold.h"

#include <pthread.h>
#define uthash_malloc(size) x_malloc(size)
#include <uthash.h>

/* tenant.max.signing.keys is at most 1000, which are 150 KiB. A tenant may have more from before
 * that limit. */
enum { SET_MAX = 8 * 1024 * 1024 };

struct tenant_keys {
	UT_hash_handle hh;
	char *tenant_id;         /* owned */
	pthread_mutex_t lock;    /* guards the members below */
	struct state_fold *fold; /* of its key records */
	struct buffer text;
	char etag[ETAG_SIZE];
	bool is_empty;
	int64_t valid_until_ms; /* wall: when the first key of the text expires; 0: the text is out
				   of date */
};

struct public_keys {
	struct codec *codec;
	struct arena *arena;   /* scratch, of the thread that applies */
	pthread_rwlock_t lock; /* guards the table; tenants are never removed */
	struct tenant_keys *tenants;
};

/* --- The text --- */

static int64_t first_expiry(const struct signing_keys *keys) {
	int64_t first_ms = INT64_MAX;

	for (size_t i = 0; i < keys->count; i++)
		first_ms = keys->items[i].expires_at_ms
			       ? MIN(first_ms, keys->items[i].expires_at_ms)
			       : first_ms;
	return first_ms;
}

/* Renders for the first query after a change, so that the rotations of a tenant cost other tenants
 * nothing. */
static void render_set(const struct public_keys *keys, struct arena *arena,
		       struct tenant_keys *tenant, int64_t now_ms) {
	struct signing_keys list;

	signing_keys_take(&list, arena, keys->codec, tenant->fold, now_ms);
	buffer_clear(&tenant->text);
	signing_keys_append_jwks(&tenant->text, &list);
	tenant->is_empty = list.count == 0;
	tenant->valid_until_ms = first_expiry(&list);
	etag_make(tenant->etag, tenant->text.data, tenant->text.len);
}

/* --- The fold --- */

static struct tenant_keys *find_tenant(const struct public_keys *keys, const char *tenant_id) {
	struct tenant_keys *tenant;

	HASH_FIND_STR(keys->tenants, tenant_id, tenant);
	return tenant;
}

static struct tenant_keys *find_or_add_tenant(struct public_keys *keys, const char *tenant_id) {
	struct tenant_keys *tenant = find_tenant(keys, tenant_id);

	if (tenant)
		return tenant;
	tenant = x_calloc(1, sizeof(*tenant));
	tenant->tenant_id = x_strdup(tenant_id);
	tenant->fold = state_fold_new();
	tenant->text = BUFFER_INIT(SET_MAX);
	pthread_mutex_init(&tenant->lock, NULL);
	HASH_ADD_KEYPTR(hh, keys->tenants, tenant->tenant_id, strlen(tenant->tenant_id), tenant);
	return tenant;
}

static void apply_key(struct public_keys *keys, const struct record *record) {
	const struct state_fold_key at = { .partition = record->partition,
					   .bytes = record->key,
					   .len = record->key_len };
	struct tenant_keys *tenant;
	struct state_key key;

	arena_reset(keys->arena);
	if (state_key_parse(keys->arena, record->key, record->key_len, &key) ||
	    key.kind != STATE_SIGNING_KEY)
		return;
	pthread_rwlock_wrlock(&keys->lock);
	tenant = find_or_add_tenant(keys, key.tenant_id);
	pthread_rwlock_unlock(&keys->lock);
	pthread_mutex_lock(&tenant->lock);
	state_fold_apply(tenant->fold, &at, record->value, record->len);
	tenant->valid_until_ms = 0;
	pthread_mutex_unlock(&tenant->lock);
}

/* Skips other records, most of the changelog, without a lock. */
void public_keys_apply(struct public_keys *keys, const struct record *record) {
	static const char prefix[] = "key/";

	if (record->key_len >= sizeof(prefix) - 1 &&
	    !memcmp(record->key, prefix, sizeof(prefix) - 1))
		apply_key(keys, record);
}

/* --- Life --- */

struct public_keys *public_keys_new(struct codec *codec) {
	struct public_keys *keys = x_calloc(1, sizeof(*keys));

	pthread_rwlock_init(&keys->lock, NULL);
	keys->arena = arena_new();
	keys->codec = codec;
	return keys;
}

void public_keys_free(struct public_keys *keys) {
	struct tenant_keys *tenant, *next;

	HASH_ITER(hh, keys->tenants, tenant, next) {
		HASH_DEL(keys->tenants, tenant);
		state_fold_free(tenant->fold);
		buffer_destroy(&tenant->text);
		pthread_mutex_destroy(&tenant->lock);
		free(tenant->tenant_id);
		free(tenant);
	}
	arena_free(keys->arena);
	pthread_rwlock_destroy(&keys->lock);
	free(keys);
}

static void copy_set(const struct tenant_keys *tenant, struct arena *arena,
		     struct public_key_set *out) {
	*out = (struct public_key_set){ .text = arena_memdup(arena, tenant->text.data,
							     tenant->text.len),
					.len = tenant->text.len,
					.is_empty = tenant->is_empty };
	memcpy(out->etag, tenant->etag, sizeof(out->etag));
}

static void copy_empty_set(struct public_key_set *out) {
	*out = (struct public_key_set){ .text = "{\"keys\":[]}\n",
					.len = strlen("{\"keys\":[]}\n"),
					.is_empty = true,
					.etag = "\"empty\"" };
}

int public_keys_get(struct public_keys *keys, struct arena *arena, const char *tenant_id,
		    int64_t now_ms, struct public_key_set *out) {
	struct tenant_keys *tenant;
	bool is_whole;

	pthread_rwlock_rdlock(&keys->lock);
	tenant = find_tenant(keys, tenant_id);
	pthread_rwlock_unlock(&keys->lock);
	if (!tenant) {
		copy_empty_set(out);
		return 0;
	}
	pthread_mutex_lock(&tenant->lock);
	if (tenant->valid_until_ms <= now_ms)
		render_set(keys, arena, tenant, now_ms);
	is_whole = !tenant->text.overflowed;
	if (is_whole)
		copy_set(tenant, arena, out);
	pthread_mutex_unlock(&tenant->lock);
	return is_whole ? 0 : PUBLIC_KEYS_E_TOO_LARGE;
}
