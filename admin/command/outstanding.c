#include "command/outstanding.h"

#define uthash_malloc(size) x_malloc(size)
#include <uthash.h>

struct awaited {
	UT_hash_handle hh;
	uint64_t times;
	char id[]; /* tenant, NUL, command */
};

struct outstanding {
	struct awaited *entries;
	uint64_t count;
};

struct outstanding *outstanding_new(void) {
	return x_calloc(1, sizeof(struct outstanding));
}

void outstanding_free(struct outstanding *outstanding) {
	struct awaited *entry, *next;

	HASH_ITER(hh, outstanding->entries, entry, next) {
		HASH_DEL(outstanding->entries, entry);
		free(entry);
	}
	free(outstanding);
}

static struct awaited *entry_new(const char *tenant_id, const char *command_id, size_t *id_len) {
	size_t tenant_size = strlen(tenant_id) + 1, command_len = strlen(command_id);
	struct awaited *entry = x_calloc(1, sizeof(*entry) + tenant_size + command_len);

	memcpy(entry->id, tenant_id, tenant_size);
	memcpy(entry->id + tenant_size, command_id, command_len);
	*id_len = tenant_size + command_len;
	return entry;
}

void outstanding_add(struct outstanding *outstanding, const char *tenant_id,
		     const char *command_id) {
	size_t id_len;
	struct awaited *new = entry_new(tenant_id, command_id, &id_len), *entry;

	HASH_FIND(hh, outstanding->entries, new->id, id_len, entry);
	if (entry) {
		free(new);
	} else {
		entry = new;
		HASH_ADD_KEYPTR(hh, outstanding->entries, entry->id, id_len, entry);
	}
	entry->times++;
	outstanding->count++;
}

bool outstanding_take(struct outstanding *outstanding, const char *tenant_id,
		      const char *command_id) {
	size_t id_len;
	struct awaited *probe = entry_new(tenant_id, command_id, &id_len), *entry;

	HASH_FIND(hh, outstanding->entries, probe->id, id_len, entry);
	free(probe);
	if (!entry)
		return false;
	outstanding->count--;
	if (--entry->times == 0) {
		HASH_DEL(outstanding->entries, entry);
		free(entry);
	}
	return true;
}

uint64_t outstanding_count(const struct outstanding *outstanding) {
	return outstanding->count;
}
