#include "replica/young.h"

#define uthash_malloc(size) x_malloc(size)
#include <uthash.h>
#include <utlist.h>

struct entry {
	UT_hash_handle hh;
	struct entry *prev, *next; /* as they came */
	struct entry *added_next;  /* of those that came in this turn */
	struct entry *ended_next;  /* of those that left in it; not in the hash any more */
	bool has_ended;
	struct young_delivery
	    delivery; /* its value is the one below, and the tenant's id behind it */
	unsigned char value[];
};

struct young {
	struct entry *by_id, *in_order;
	struct entry *added, *ended; /* in the open turn */
	size_t bytes;
};

struct young *young_new(void) {
	return x_calloc(1, sizeof(struct young));
}

static void forget(struct young *young, struct entry *entry) {
	DL_DELETE(young->in_order, entry);
	young->bytes -= entry->delivery.len;
	free(entry);
}

void young_free(struct young *young) {
	struct entry *entry, *next;

	if (!young)
		return;
	HASH_CLEAR(hh, young->by_id);
	DL_FOREACH_SAFE(young->in_order, entry, next)
	forget(young, entry);
	free(young);
}

static void enter(struct young *young, struct entry *entry) {
	HASH_ADD(hh, young->by_id, delivery.id, sizeof(entry->delivery.id), entry);
}

static struct entry *find(const struct young *young, const struct uuid *id) {
	struct entry *entry;

	HASH_FIND(hh, young->by_id, id, sizeof(*id), entry);
	return entry;
}

bool young_put(struct young *young, const struct young_delivery *delivery) {
	size_t id_size = strlen(delivery->tenant_id) + 1;
	struct entry *entry;

	if (find(young, &delivery->id))
		return false;
	entry = x_malloc(sizeof(*entry) + delivery->len + id_size);
	*entry = (struct entry){ .added_next = young->added, .delivery = *delivery };
	memcpy(entry->value, delivery->value, delivery->len);
	entry->delivery.value = entry->value;
	entry->delivery.tenant_id =
	    memcpy(entry->value + delivery->len, delivery->tenant_id, id_size);
	enter(young, entry);
	DL_APPEND(young->in_order, entry);
	young->added = entry;
	young->bytes += delivery->len;
	return true;
}

const struct young_delivery *young_get(const struct young *young, const struct uuid *id) {
	struct entry *entry = find(young, id);

	return entry ? &entry->delivery : NULL;
}

static void end(struct young *young, struct entry *entry) {
	HASH_DEL(young->by_id, entry);
	entry->has_ended = true;
	entry->ended_next = young->ended;
	young->ended = entry;
}

bool young_end(struct young *young, const struct uuid *id, int32_t partition) {
	struct entry *entry = find(young, id);

	if (!entry || entry->delivery.partition != partition)
		return false;
	end(young, entry);
	return true;
}

int young_write(struct young *young, bool in_turn, young_fn fn, void *userdata) {
	struct entry *entry, *next;
	int r = 0;

	DL_FOREACH_SAFE(young->in_order, entry, next) {
		if (entry->has_ended)
			continue;
		r = fn(userdata, &entry->delivery);
		if (r)
			break;
		end(young, entry);
	}
	if (!in_turn)
		young_turn_end(young);
	return r;
}

void young_turn_end(struct young *young) {
	young->added = NULL;
	while (young->ended) {
		struct entry *entry = young->ended;

		young->ended = entry->ended_next;
		forget(young, entry);
	}
}

static void undo_ends(struct young *young) {
	while (young->ended) {
		struct entry *entry = young->ended;

		young->ended = entry->ended_next;
		entry->has_ended = false;
		enter(young, entry);
	}
}

void young_rollback(struct young *young) {
	undo_ends(young);
	while (young->added) {
		struct entry *entry = young->added;

		young->added = entry->added_next;
		HASH_DEL(young->by_id, entry);
		forget(young, entry);
	}
}

size_t young_bytes(const struct young *young) {
	return young->bytes;
}
