#include "fake_replica.h"

void fake_replica_init(struct replica *replica, struct arena *arena,
		       int32_t (*partition_of)(const struct uuid *webhook_id)) {
	*replica = (struct replica){ .partition_of = partition_of };
	fake_registry_init(&replica->registry, arena);
}

static void apply_change(struct replica *replica, struct change *change) {
	fake_registry_apply(&replica->registry,
			    &(struct effects){ .changes = change, .change_count = 1 });
}

void fake_replica_put(struct replica *replica, const struct state_record *record) {
	struct state_record *copy = arena_alloc(replica->registry.arena, sizeof(*copy));
	struct change change = { .key = state_record_key(record), .record = copy };

	*copy = *record;
	apply_change(replica, &change);
}

void fake_replica_delete(struct replica *replica, const struct state_key *key) {
	struct change change = { .key = *key };

	apply_change(replica, &change);
}

const struct registry *replica_registry(struct replica *replica) {
	replica->registry.error = replica->error;
	return &replica->registry.registry;
}

/* By due time; those of one time by id, which the tests number in the order of recording. */
static int compare_due(const void *a, const void *b) {
	const struct delivery *x = a, *y = b;

	if (x->next_attempt_at_ms != y->next_attempt_at_ms)
		return x->next_attempt_at_ms < y->next_attempt_at_ms ? -1 : 1;
	return uuid_compare(&x->id, &y->id);
}

/* The pending deliveries of a webhook (NULL: of any), in order; the caller frees them. */
static struct delivery *list_pending(const struct replica *replica, const struct uuid *webhook_id,
				     size_t *count) {
	struct delivery *found = x_calloc(replica->registry.count + 1, sizeof(*found));

	*count = 0;
	for (size_t i = 0; i < replica->registry.count; i++) {
		const struct state_record *record = &replica->registry.records[i];

		if (record->kind == STATE_DELIVERY && record->delivery.status == DELIVERY_PENDING &&
		    (!webhook_id || uuid_compare(&record->delivery.webhook_id, webhook_id) == 0))
			found[(*count)++] = record->delivery;
	}
	qsort(found, *count, sizeof(*found), compare_due);
	return found;
}

/* Returns how many of the webhook's deliveries there are, or 0 when it came before. */
static int64_t count_from(const struct delivery *deliveries, size_t count, size_t first) {
	int64_t same = 0;

	for (size_t i = 0; i < count; i++) {
		if (uuid_compare(&deliveries[i].webhook_id, &deliveries[first].webhook_id) != 0)
			continue;
		if (i < first)
			return 0;
		same++;
	}
	return same;
}

int replica_backlog(struct replica *replica, int32_t partition, replica_backlog_fn fn,
		    void *userdata) {
	size_t count;
	_cleanup_(x_freep) struct delivery *deliveries = list_pending(replica, NULL, &count);

	for (size_t i = 0; i < count && !replica->error; i++) {
		const struct delivery *earliest = &deliveries[i];
		int64_t same = count_from(deliveries, count, i);
		int r = same > 0 && replica->partition_of(&earliest->webhook_id) == partition
			    ? fn(userdata, &earliest->webhook_id, earliest->tenant_id,
				 earliest->next_attempt_at_ms, same)
			    : 0;

		if (r)
			return r;
	}
	return replica->error;
}

int replica_pending(struct replica *replica, struct arena *arena, const struct uuid *webhook_id,
		    int64_t due_ms_max, struct delivery_bounds bounds, struct delivery **out,
		    size_t *count) {
	size_t found, bytes = 0;
	_cleanup_(x_freep) struct delivery *deliveries = list_pending(replica, webhook_id, &found);
	bool is_cut = false;

	*out = arena_alloc(arena, (found + 1) * sizeof(**out));
	*count = 0;
	while (*count < found && deliveries[*count].next_attempt_at_ms <= due_ms_max) {
		is_cut = *count > 0 && (*count >= bounds.count || bytes >= bounds.bytes);
		if (is_cut)
			break;
		bytes += deliveries[*count].body_len;
		(*out)[*count] = deliveries[*count];
		++*count;
	}
	replica->bytes_loaded += bytes;
	return replica->error ? replica->error : is_cut ? REPLICA_E_MORE : 0;
}

int replica_walk_pending(struct replica *replica, const struct uuid *webhook_id,
			 replica_delivery_fn fn, void *userdata) {
	size_t count;
	_cleanup_(x_freep) struct delivery *deliveries = list_pending(replica, webhook_id, &count);
	int r = replica->error;

	for (size_t i = 0; i < count && r == 0; i++)
		r = fn(userdata, &deliveries[i]);
	return r;
}

int replica_next_pending(struct replica *replica, struct arena *arena _unused_,
			 const struct uuid *webhook_id, int64_t after_ms, struct delivery *out) {
	size_t count;
	_cleanup_(x_freep) struct delivery *deliveries = list_pending(replica, webhook_id, &count);

	for (size_t i = 0; i < count && !replica->error; i++)
		if (deliveries[i].next_attempt_at_ms > after_ms) {
			*out = deliveries[i];
			return 0;
		}
	return replica->error ? replica->error : REPLICA_E_NOT_FOUND;
}
