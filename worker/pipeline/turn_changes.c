#include "pipeline/turn_changes.h"

#include "base/invariant.h"
#include "pipeline/turn_budget.h"

/*
 * In one piece, where it is due and there is room; else without its texts and its body, so that it
 * is looked up when its time comes.
 */
static void note_delivery(struct turn_changes *changes, struct arena *arena,
			  struct dispatch_partition partition, const struct delivery *delivery,
			  int64_t now_ms) {
	bool is_whole = delivery->next_attempt_at_ms <= now_ms &&
			changes->kept_bytes + delivery->body_len <= TURN_KEPT_MAX;
	struct changed_delivery *noted;

	changes->deliveries = arena_grow(arena, changes->deliveries, changes->delivery_count,
					 &changes->delivery_capacity, sizeof(*changes->deliveries));
	noted = &changes->deliveries[changes->delivery_count++];
	*noted = (struct changed_delivery){ .partition = partition, .is_whole = is_whole };
	noted->delivery =
	    is_whole ? delivery_copy(arena, delivery) : delivery_without_texts(delivery);
	changes->kept_bytes += is_whole ? delivery->body_len : 0;
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
		       struct dispatch_partition partition, const struct change *change,
		       int64_t now_ms) {
	switch (change->key.kind) {
	case STATE_DELIVERY:
		if (change->record && change->record->delivery.status == DELIVERY_PENDING)
			note_delivery(changes, arena, partition, &change->record->delivery, now_ms);
		return;
	case STATE_WEBHOOK:
		note_webhook(changes, arena, change);
		return;
	case STATE_SIGNING_KEY:
		note_key(changes, arena, change->key.tenant_id);
		return;
	case STATE_RECEIPT:
	case STATE_POSITION:
		return;
	case STATE_KIND_COUNT:
		break;
	}
	impossible("a change has a kind");
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
		dispatcher_add_delivery(dispatcher, changes->deliveries[i].partition,
					&changes->deliveries[i].delivery,
					changes->deliveries[i].is_whole, now_ms);
	dispatcher_submit(dispatcher);
}
