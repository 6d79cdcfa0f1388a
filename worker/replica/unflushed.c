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
	struct unflushed_delivery delivery;  /* points into `bytes` */
	unsigned char bytes[];               /* the encoded record, then the tenant's id */
};

struct unflushed {
	struct unflushed_entry *by_id, *in_order;
	struct unflushed_entry *added, *ended; /* in the open turn */
	size_t bytes;
};

struct unflushed *unflushed_new(void) {
	return x_calloc(1, sizeof(struct unflushed));
}

static void free_entry(struct unflushed *unflushed, struct unflushed_entry *entry) {
	DL_DELETE(unflushed->in_order, entry);
	unflushed->bytes -= entry->delivery.len;
	free(entry);
}

void unflushed_free(struct unflushed *unflushed) {
	struct unflushed_entry *entry, *next;

	if (!unflushed)
		return;
	HASH_CLEAR(hh, unflushed->by_id);
	DL_FOREACH_SAFE(unflushed->in_order, entry, next) {
		free_entry(unflushed, entry);
	}
	free(unflushed);
}

static void hash_entry(struct unflushed *unflushed, struct unflushed_entry *entry) {
	HASH_ADD(hh, unflushed->by_id, delivery.id, sizeof(entry->delivery.id), entry);
}

static struct unflushed_entry *find_entry(const struct unflushed *unflushed,
					  const struct uuid *id) {
	struct unflushed_entry *entry;

	HASH_FIND(hh, unflushed->by_id, id, sizeof(*id), entry);
	return entry;
}

bool unflushed_put(struct unflushed *unflushed, const struct unflushed_delivery *delivery) {
	size_t id_size = strlen(delivery->tenant_id) + 1;
	struct unflushed_entry *entry;

	if (find_entry(unflushed, &delivery->id))
		return false;
	entry = x_malloc(sizeof(*entry) + delivery->len + id_size);
	*entry = (struct unflushed_entry){ .added_next = unflushed->added, .delivery = *delivery };
	memcpy(entry->bytes, delivery->value, delivery->len);
	entry->delivery.value = entry->bytes;
	entry->delivery.tenant_id =
	    memcpy(entry->bytes + delivery->len, delivery->tenant_id, id_size);
	hash_entry(unflushed, entry);
	DL_APPEND(unflushed->in_order, entry);
	unflushed->added = entry;
	unflushed->bytes += delivery->len;
	return true;
}

const struct unflushed_delivery *unflushed_get(const struct unflushed *unflushed,
					       const struct uuid *id) {
	struct unflushed_entry *entry = find_entry(unflushed, id);

	return entry ? &entry->delivery : NULL;
}

static void end_entry(struct unflushed *unflushed, struct unflushed_entry *entry) {
	HASH_DEL(unflushed->by_id, entry);
	entry->has_ended = true;
	entry->ended_next = unflushed->ended;
	unflushed->ended = entry;
}

bool unflushed_end(struct unflushed *unflushed, const struct uuid *id, int32_t partition) {
	struct unflushed_entry *entry = find_entry(unflushed, id);

	if (!entry || entry->delivery.partition != partition)
		return false;
	end_entry(unflushed, entry);
	return true;
}

int unflushed_write(struct unflushed *unflushed, bool in_turn, unflushed_write_fn write,
		    void *userdata) {
	struct unflushed_entry *entry, *next;
	int r = 0;

	DL_FOREACH_SAFE(unflushed->in_order, entry, next) {
		if (entry->has_ended)
			continue;
		r = write(userdata, &entry->delivery);
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
		HASH_DEL(unflushed->by_id, entry);
		free_entry(unflushed, entry);
	}
}

size_t unflushed_bytes(const struct unflushed *unflushed) {
	return unflushed->bytes;
}
