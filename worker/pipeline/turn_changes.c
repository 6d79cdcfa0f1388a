#include "pipeline/turn_changes.h"

#include "pipeline/turn_budget.h"

/*
 * In one piece, where it is due and there is room; else without its texts and its body, so that it
 * is looked up when its time comes.
 */
static struct dispatch_added *note_delivery(struct turn_changes *changes, struct arena *arena,
					    const struct delivery *delivery, int64_t now_ms) {
	bool is_whole = delivery->next_attempt_at_ms <= now_ms &&
			changes->kept_bytes + delivery->body_len <= TURN_KEPT_MAX;
	struct dispatch_added *noted;

	changes->deliveries = arena_grow(arena, changes->deliveries, changes->delivery_count,
					 &changes->delivery_capacity, sizeof(*changes->deliveries));
	noted = &changes->deliveries[changes->delivery_count++];
	*noted = (struct dispatch_added){ .is_whole = is_whole };
	noted->delivery =
	    is_whole ? delivery_copy(arena, delivery) : delivery_without_texts(delivery);
	changes->kept_bytes += is_whole ? delivery->body_len : 0;
	return noted;
}

static void note_deliveries(struct turn_changes *changes, struct arena *arena,
			    struct dispatch_partition partition, const struct effects *effects,
			    int64_t now_ms) {
	for (size_t i = 0; i < effects->change_count; i++) {
		const struct state_record *record = effects->changes[i].record;
		struct dispatch_added *noted;

		if (!record || record->kind != STATE_DELIVERY ||
		    record->delivery.status != DELIVERY_PENDING)
			continue;
		noted = note_delivery(changes, arena, &record->delivery, now_ms);
		noted->partition = partition;
		noted->is_asked_for = effects->is_asked_for;
	}
}

static void note_webhook(struct turn_changes *changes, struct arena *arena,
			 const struct change *change) {
	struct webhook *copy = NULL;

	if (change->record) {
		copy = arena_memdup(arena, &change->record->webhook, sizeof(*copy));
		copy->tenant_id = arena_strdup(arena, copy->tenant_id);
		copy->url = arena_strdup(arena, copy->url);
		/* The rest is the command's, and nobody looks at it. */
		copy->events = NULL;
		copy->description = NULL;
		copy->headers = NULL;
		copy->filter = NULL;
		copy->secret_master_key_id = NULL;
		copy->former_secret_master_key_id = NULL;
		copy->event_count = copy->header_count = 0;
	}
	changes->webhooks = arena_grow(arena, changes->webhooks, changes->webhook_count,
				       &changes->webhook_capacity, sizeof(*changes->webhooks));
	changes->webhooks[changes->webhook_count++] =
	    (struct changed_webhook){ change->key.id, copy };
}

static void note_key(struct turn_changes *changes, struct arena *arena, const char *tenant_id) {
	size_t count = changes->key_tenant_count;

	if (count > 0 && strcmp(changes->key_tenants[count - 1], tenant_id) == 0)
		return;
	changes->key_tenants =
	    arena_grow(arena, changes->key_tenants, count, &changes->key_tenant_capacity,
		       sizeof(*changes->key_tenants));
	changes->key_tenants[changes->key_tenant_count++] = arena_strdup(arena, tenant_id);
}

void turn_changes_note(struct turn_changes *changes, struct arena *arena,
		       struct dispatch_partition partition, const struct effects *effects,
		       int64_t now_ms) {
	note_deliveries(changes, arena, partition, effects, now_ms);
	for (size_t i = 0; i < effects->change_count; i++) {
		const struct change *change = &effects->changes[i];

		if (change->key.kind == STATE_WEBHOOK)
			note_webhook(changes, arena, change);
		else if (change->key.kind == STATE_SIGNING_KEY)
			note_key(changes, arena, change->key.tenant_id);
	}
}

/*
 * Webhooks before deliveries: a delivery that was recorded before its webhook was changed, disabled
 * or deleted in the same turn must not go out as it was.
 */
void turn_changes_dispatch(const struct turn_changes *changes, struct dispatcher *dispatcher,
			   int64_t now_ms) {
	for (size_t i = 0; i < changes->webhook_count; i++)
		dispatcher_update_webhook(dispatcher, &changes->webhooks[i].id,
					  changes->webhooks[i].webhook);
	dispatcher_update_keys(dispatcher, changes->key_tenants, changes->key_tenant_count);
	for (size_t i = 0; i < changes->delivery_count; i++)
		dispatcher_add_delivery(dispatcher, &changes->deliveries[i], now_ms);
	dispatcher_submit(dispatcher);
}
