#include "pipeline/tenant_pending.h"

#define uthash_malloc(size) x_malloc(size)
#include <uthash.h>

struct tenant {
	UT_hash_handle hh;
	int64_t committed, turn; /* deliveries; of the open turn: begun less ended */
	struct tenant *touched_next;
	bool is_touched;
	int32_t partition;
	char id[];
};

struct tenant_pending {
	struct tenant *tenants;
	struct tenant *touched; /* in the open turn */
};

struct tenant_pending *tenant_pending_new(void) {
	return x_calloc(1, sizeof(struct tenant_pending));
}

static void drop(struct tenant_pending *pending, struct tenant *tenant) {
	HASH_DEL(pending->tenants, tenant);
	free(tenant);
}

void tenant_pending_free(struct tenant_pending *pending) {
	struct tenant *tenant, *next;

	if (!pending)
		return;
	HASH_ITER(hh, pending->tenants, tenant, next)
	drop(pending, tenant);
	free(pending);
}

static struct tenant *find(const struct tenant_pending *pending, const char *id) {
	struct tenant *tenant;

	HASH_FIND_STR(pending->tenants, id, tenant);
	return tenant;
}

static struct tenant *find_or_add(struct tenant_pending *pending, int32_t partition,
				  const char *id) {
	struct tenant *tenant = find(pending, id);
	size_t len = strlen(id);

	if (tenant)
		return tenant;
	tenant = x_calloc(1, sizeof(*tenant) + len + 1);
	tenant->partition = partition;
	memcpy(tenant->id, id, len);
	HASH_ADD_KEYPTR(hh, pending->tenants, tenant->id, len, tenant);
	return tenant;
}

int64_t tenant_pending_get(const struct tenant_pending *pending, const char *tenant_id) {
	const struct tenant *tenant = find(pending, tenant_id);

	return tenant ? tenant->committed + tenant->turn : 0;
}

void tenant_pending_add(struct tenant_pending *pending, int32_t partition, const char *tenant_id,
			int64_t count) {
	find_or_add(pending, partition, tenant_id)->committed += count;
}

void tenant_pending_forget(struct tenant_pending *pending, int32_t partition) {
	struct tenant *tenant, *next;

	tenant_pending_undo(pending);
	HASH_ITER(hh, pending->tenants, tenant, next)
	if (tenant->partition == partition)
		drop(pending, tenant);
}

/* By how many more, or less, are pending after it. */
static int64_t change_of(const struct analytic_event *event) {
	switch (event->step) {
	case ANALYTIC_RECEIVE:
		return 1;
	case ANALYTIC_PROCESS_SUCCESS:
	case ANALYTIC_PROCESS_FAIL:
		return -1;
	default:
		return event->data.kind == EVENT_DATA_RECOVERED && !event->repeat
			   ? event->data.recovered
			   : 0;
	}
}

void tenant_pending_note(struct tenant_pending *pending, int32_t partition,
			 const struct analytic_event *event) {
	int64_t change = change_of(event);
	struct tenant *tenant;

	if (change == 0)
		return;
	tenant = find_or_add(pending, partition, event->tenant_id);
	tenant->turn += change;
	if (tenant->is_touched)
		return;
	tenant->is_touched = true;
	tenant->touched_next = pending->touched;
	pending->touched = tenant;
}

static void end_turn(struct tenant_pending *pending, bool is_committed) {
	while (pending->touched) {
		struct tenant *tenant = pending->touched;

		pending->touched = tenant->touched_next;
		tenant->is_touched = false;
		tenant->committed += is_committed ? tenant->turn : 0;
		tenant->turn = 0;
		if (tenant->committed <= 0)
			drop(pending, tenant);
	}
}

void tenant_pending_commit(struct tenant_pending *pending) {
	end_turn(pending, true);
}

void tenant_pending_undo(struct tenant_pending *pending) {
	end_turn(pending, false);
}
