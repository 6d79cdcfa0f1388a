#include "dispatch/tenant_pending.h"

#include "base/hash.h"

struct tenant {
	UT_hash_handle hh;
	int64_t committed; /* pending deliveries, as of the last commit */
	int64_t change;    /* of the open transaction: begun less ended */
	struct tenant *next_touched;
	bool is_touched;
	int32_t partition_id;
	char id[];
};

struct tenant_pending {
	struct tenant *tenants;
	struct tenant *touched; /* list: those that the open transaction changes */
};

struct tenant_pending *tenant_pending_new(void) {
	return x_calloc(1, sizeof(struct tenant_pending));
}

static void free_tenant(struct tenant_pending *pending, struct tenant *tenant) {
	HASH_DEL(pending->tenants, tenant);
	free(tenant);
}

void tenant_pending_free(struct tenant_pending *pending) {
	struct tenant *tenant, *next;

	if (!pending)
		return;
	HASH_ITER(hh, pending->tenants, tenant, next)
	free_tenant(pending, tenant);
	free(pending);
}

static struct tenant *find_tenant(const struct tenant_pending *pending, const char *id) {
	struct tenant *tenant;

	HASH_FIND_STR(pending->tenants, id, tenant);
	return tenant;
}

static struct tenant *find_or_add_tenant(struct tenant_pending *pending, int32_t partition_id,
					 const char *id) {
	struct tenant *tenant = find_tenant(pending, id);
	size_t len = strlen(id);

	if (tenant)
		return tenant;
	tenant = x_calloc(1, sizeof(*tenant) + len + 1);
	tenant->partition_id = partition_id;
	memcpy(tenant->id, id, len);
	HASH_ADD_KEYPTR(hh, pending->tenants, tenant->id, len, tenant);
	return tenant;
}

int64_t tenant_pending_get(const struct tenant_pending *pending, const char *tenant_id) {
	const struct tenant *tenant = find_tenant(pending, tenant_id);

	return tenant ? tenant->committed + tenant->change : 0;
}

void tenant_pending_add(struct tenant_pending *pending, int32_t partition_id, const char *tenant_id,
			int64_t count) {
	find_or_add_tenant(pending, partition_id, tenant_id)->committed += count;
}

void tenant_pending_forget(struct tenant_pending *pending, int32_t partition_id) {
	struct tenant *tenant, *next;

	tenant_pending_undo(pending);
	HASH_ITER(hh, pending->tenants, tenant, next)
	if (tenant->partition_id == partition_id)
		free_tenant(pending, tenant);
}

/* The change of the number of pending deliveries by an event. */
static int64_t change_of(const struct analytic_event *event) {
	switch (event->step) {
	case ANALYTIC_RECEIVE:
		return 1;
	case ANALYTIC_PROCESS_SUCCESS:
	case ANALYTIC_PROCESS_FAIL:
		return -1;
	case ANALYTIC_RESEND:
		return event->data.delivery.attempt == 0;
	default:
		return 0;
	}
}

void tenant_pending_note(struct tenant_pending *pending, int32_t partition_id,
			 const struct analytic_event *event) {
	int64_t change = change_of(event);
	struct tenant *tenant;

	if (change == 0)
		return;
	tenant = find_or_add_tenant(pending, partition_id, event->tenant_id);
	tenant->change += change;
	if (tenant->is_touched)
		return;
	tenant->is_touched = true;
	tenant->next_touched = pending->touched;
	pending->touched = tenant;
}

static void end_transaction(struct tenant_pending *pending, bool is_committed) {
	while (pending->touched) {
		struct tenant *tenant = pending->touched;

		pending->touched = tenant->next_touched;
		tenant->is_touched = false;
		tenant->committed += is_committed ? tenant->change : 0;
		tenant->change = 0;
		if (tenant->committed <= 0)
			free_tenant(pending, tenant);
	}
}

void tenant_pending_commit(struct tenant_pending *pending) {
	end_transaction(pending, true);
}

void tenant_pending_undo(struct tenant_pending *pending) {
	end_transaction(pending, false);
}
