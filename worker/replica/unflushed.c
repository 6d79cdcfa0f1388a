#include "replica/unflushed.h"

#define uthash_malloc(size) x_malloc(size)
#include <uthash.h>
#include <utlist.h>

struct unflushed_entry {
	UT_hash_handle hh;
	struct unflushed_entry *prev, *next; /* in the order in which they were put */
	struct unflushed_entry *added_next;  /* among those that were put in the open turn */
	struct unflushed_entry *ended_next;  /* among those that were taken out in the open turn */
	bool has_ended;                      /* taken out in the open turn: not in the hash */
	struct unflushed_row row;            /* points into `bytes` */
	unsigned char bytes[];               /* the encoded record, the key, the tenant's id */
};

struct unflushed {
	struct unflushed_entry *by_key, *in_order;
	struct unflushed_entry *added, *ended; /* in the open turn */
	size_t bytes;
};

struct unflushed *unflushed_new(void) {
	return x_calloc(1, sizeof(struct unflushed));
}

static void free_entry(struct unflushed *unflushed, struct unflushed_entry *entry) {
	DL_DELETE(unflushed->in_order, entry);
	unflushed->bytes -= entry->row.len;
	free(entry);
}

void unflushed_free(struct unflushed *unflushed) {
	struct unflushed_entry *entry, *next;

	if (!unflushed)
		return;
	HASH_CLEAR(hh, unflushed->by_key);
	DL_FOREACH_SAFE(unflushed->in_order, entry, next) {
		free_entry(unflushed, entry);
	}
	free(unflushed);
}

static void hash_entry(struct unflushed *unflushed, struct unflushed_entry *entry) {
	HASH_ADD_KEYPTR(hh, unflushed->by_key, entry->row.key.bytes, entry->row.key.len, entry);
}

static struct unflushed_entry *find_entry(const struct unflushed *unflushed,
					  const struct unflushed_key *key) {
	struct unflushed_entry *entry;

	HASH_FIND(hh, unflushed->by_key, key->bytes, key->len, entry);
	return entry;
}

static struct unflushed_entry *new_entry(const struct unflushed_row *row) {
	size_t id_size = row->tenant_id ? strlen(row->tenant_id) + 1 : 0;
	struct unflushed_entry *entry =
	    x_malloc(sizeof(*entry) + row->len + row->key.len + id_size);
	unsigned char *p = entry->bytes;

	*entry = (struct unflushed_entry){ .row = *row };
	entry->row.value = memcpy(p, row->value, row->len);
	p += row->len;
	entry->row.key.bytes = memcpy(p, row->key.bytes, row->key.len);
	p += row->key.len;
	if (row->tenant_id)
		entry->row.tenant_id = memcpy(p, row->tenant_id, id_size);
	return entry;
}

bool unflushed_put(struct unflushed *unflushed, const struct unflushed_row *row) {
	struct unflushed_entry *entry;

	if (find_entry(unflushed, &row->key))
		return false;
	entry = new_entry(row);
	entry->added_next = unflushed->added;
	hash_entry(unflushed, entry);
	DL_APPEND(unflushed->in_order, entry);
	unflushed->added = entry;
	unflushed->bytes += row->len;
	return true;
}

const struct unflushed_row *unflushed_get(const struct unflushed *unflushed,
					  const struct unflushed_key *key) {
	struct unflushed_entry *entry = find_entry(unflushed, key);

	return entry ? &entry->row : NULL;
}

static void end_entry(struct unflushed *unflushed, struct unflushed_entry *entry) {
	HASH_DEL(unflushed->by_key, entry);
	entry->has_ended = true;
	entry->ended_next = unflushed->ended;
	unflushed->ended = entry;
}

bool unflushed_end(struct unflushed *unflushed, const struct unflushed_key *key,
		   int32_t partition) {
	struct unflushed_entry *entry = find_entry(unflushed, key);

	if (!entry || entry->row.partition != partition)
		return false;
	end_entry(unflushed, entry);
	return true;
}

/* Deliveries before receipts. The sort keeps the order of equals. */
static int compare(const struct unflushed_entry *a, const struct unflushed_entry *b) {
	bool is_receipt = !a->row.tenant_id;
	int r;

	if (is_receipt != !b->row.tenant_id)
		return is_receipt ? 1 : -1;
	if (!is_receipt)
		return 0;
	r = memcmp(a->row.key.bytes, b->row.key.bytes, MIN(a->row.key.len, b->row.key.len));
	return r ? r : (a->row.key.len > b->row.key.len) - (a->row.key.len < b->row.key.len);
}

int unflushed_write(struct unflushed *unflushed, bool in_turn, unflushed_write_fn write,
		    void *userdata) {
	struct unflushed_entry *entry, *next;
	int r = 0;

	DL_SORT(unflushed->in_order, compare);
	DL_FOREACH_SAFE(unflushed->in_order, entry, next) {
		if (entry->has_ended)
			continue;
		r = write(userdata, &entry->row);
		if (r)
			break;
		end_entry(unflushed, entry);
	}
	if (!in_turn)
		unflushed_turn_end(unflushed);
	return r;
}

void unflushed_turn_end(struct unflushed *unflushed) {
	unflushed->added = NULL;
	while (unflushed->ended) {
		struct unflushed_entry *entry = unflushed->ended;

		unflushed->ended = entry->ended_next;
		free_entry(unflushed, entry);
	}
}

static void restore_ended(struct unflushed *unflushed) {
	while (unflushed->ended) {
		struct unflushed_entry *entry = unflushed->ended;

		unflushed->ended = entry->ended_next;
		entry->has_ended = false;
		hash_entry(unflushed, entry);
	}
}

void unflushed_rollback(struct unflushed *unflushed) {
	restore_ended(unflushed);
	while (unflushed->added) {
		struct unflushed_entry *entry = unflushed->added;

		unflushed->added = entry->added_next;
		HASH_DEL(unflushed->by_key, entry);
		free_entry(unflushed, entry);
	}
}

size_t unflushed_bytes(const struct unflushed *unflushed) {
	return unflushed->bytes;
}
