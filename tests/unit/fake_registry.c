#include "fake_registry.h"

static bool same_text(const char *a, const char *b) {
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_key(const struct state_key *a, const struct state_key *b) {
	return a->kind == b->kind && uuid_compare(&a->id, &b->id) == 0 && same_text(a->tenant_id, b->tenant_id) &&
	       same_text(a->name, b->name);
}

struct state_record *fake_registry_find(struct fake_registry *fake, const struct state_key *key) {
	for (size_t i = 0; i < fake->count; i++) {
		struct state_key present = state_record_key(&fake->records[i]);

		if (same_key(&present, key))
			return &fake->records[i];
	}
	return NULL;
}

size_t fake_registry_count(const struct fake_registry *fake, enum state_kind kind) {
	size_t count = 0;

	for (size_t i = 0; i < fake->count; i++)
		count += fake->records[i].kind == kind;
	return count;
}

static void apply(struct fake_registry *fake, const struct change *change) {
	struct state_record *present = fake_registry_find(fake, &change->key);

	if (!change->record) {
		if (present)
			*present = fake->records[--fake->count];
		return;
	}
	if (present) {
		*present = *change->record;
		return;
	}
	fake->records = arena_grow(fake->arena, fake->records, fake->count, &fake->capacity, sizeof(*fake->records));
	fake->records[fake->count++] = *change->record;
}

void fake_registry_apply(struct fake_registry *fake, const struct effects *effects) {
	for (size_t i = 0; i < effects->change_count; i++)
		apply(fake, &effects->changes[i]);
}

static int webhook_get(void *userdata, struct arena *arena _unused_, const char *tenant_id, const struct uuid *id,
		       struct webhook *out) {
	struct fake_registry *fake = userdata;
	struct state_record *record;

	if (fake->error)
		return fake->error;
	record = fake_registry_find(fake, &(struct state_key){ .kind = STATE_WEBHOOK, .tenant_id = tenant_id, .id = *id });
	if (!record)
		return REGISTRY_E_NOT_FOUND;
	*out = record->webhook;
	return 0;
}

static int compare_places(const void *a, const void *b) {
	const struct webhook *x = a, *y = b;

	if (x->created_at_ms != y->created_at_ms)
		return x->created_at_ms < y->created_at_ms ? -1 : 1;
	return uuid_compare(&x->id, &y->id);
}

static int webhook_list(void *userdata, struct arena *arena, const char *tenant_id, const struct cursor *after, size_t limit,
			struct webhook **out, size_t *count) {
	struct fake_registry *fake = userdata;
	struct webhook place = { 0 };

	if (fake->error)
		return fake->error;
	if (after) {
		place.created_at_ms = after->created_at_ms;
		place.id = after->id;
	}
	*out = arena_alloc(arena, (fake->count + 1) * sizeof(**out));
	*count = 0;
	for (size_t i = 0; i < fake->count; i++) {
		const struct state_record *record = &fake->records[i];

		if (record->kind != STATE_WEBHOOK || !same_text(record->webhook.tenant_id, tenant_id))
			continue;
		if (!after || compare_places(&record->webhook, &place) > 0)
			(*out)[(*count)++] = record->webhook;
	}
	qsort(*out, *count, sizeof(**out), compare_places);
	*count = MIN(*count, limit);
	return 0;
}

static int receipt_get(void *userdata, struct arena *arena _unused_, const char *tenant_id, const char *command_id,
		       struct receipt *out) {
	struct fake_registry *fake = userdata;
	struct state_record *record;

	if (fake->error)
		return fake->error;
	record =
	    fake_registry_find(fake, &(struct state_key){ .kind = STATE_RECEIPT, .tenant_id = tenant_id, .name = command_id });
	if (!record)
		return REGISTRY_E_NOT_FOUND;
	*out = record->receipt;
	return 0;
}

static int compare_epochs(const void *a, const void *b) {
	const struct signing_key *x = a, *y = b;

	return y->epoch - x->epoch;
}

static int signing_keys(void *userdata, struct arena *arena, const char *tenant_id, struct signing_key **out, size_t *count) {
	struct fake_registry *fake = userdata;

	if (fake->error)
		return fake->error;
	*out = arena_alloc(arena, (fake->count + 1) * sizeof(**out));
	*count = 0;
	for (size_t i = 0; i < fake->count; i++)
		if (fake->records[i].kind == STATE_SIGNING_KEY && same_text(fake->records[i].signing_key.tenant_id, tenant_id))
			(*out)[(*count)++] = fake->records[i].signing_key;
	qsort(*out, *count, sizeof(**out), compare_epochs);
	return 0;
}

static int delivery_get(void *userdata, struct arena *arena _unused_, const struct uuid *id, struct delivery *out) {
	struct fake_registry *fake = userdata;
	struct state_record *record;

	if (fake->error)
		return fake->error;
	record = fake_registry_find(fake, &(struct state_key){ .kind = STATE_DELIVERY, .id = *id });
	if (!record)
		return REGISTRY_E_NOT_FOUND;
	*out = record->delivery;
	return 0;
}

static int compare_due(const void *a, const void *b) {
	const struct delivery *x = a, *y = b;

	if (x->next_attempt_at_ms != y->next_attempt_at_ms)
		return x->next_attempt_at_ms < y->next_attempt_at_ms ? -1 : 1;
	return uuid_compare(&x->id, &y->id);
}

static int delivery_dead(void *userdata, struct arena *arena, const struct uuid *webhook_id, int64_t since_ms, size_t limit,
			 struct delivery **out, size_t *count) {
	struct fake_registry *fake = userdata;

	if (fake->error)
		return fake->error;
	*out = arena_alloc(arena, (fake->count + 1) * sizeof(**out));
	*count = 0;
	for (size_t i = 0; i < fake->count; i++) {
		const struct delivery *delivery = &fake->records[i].delivery;

		if (fake->records[i].kind == STATE_DELIVERY && delivery->status == DELIVERY_DEAD &&
		    uuid_compare(&delivery->webhook_id, webhook_id) == 0 && delivery->next_attempt_at_ms >= since_ms)
			(*out)[(*count)++] = *delivery;
	}
	qsort(*out, *count, sizeof(**out), compare_due);
	*count = MIN(*count, limit);
	return 0;
}

void fake_registry_init(struct fake_registry *fake, struct arena *arena) {
	*fake = (struct fake_registry){
		.registry = {
			.userdata = fake,
			.webhook_get = webhook_get,
			.webhook_list = webhook_list,
			.receipt_get = receipt_get,
			.signing_keys = signing_keys,
			.delivery_get = delivery_get,
			.delivery_dead = delivery_dead,
		},
		.arena = arena,
	};
}
