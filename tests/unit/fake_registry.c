#include "fake_registry.h"

static bool same_text(const char *a, const char *b) {
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_key(const struct state_key *a, const struct state_key *b) {
	return a->kind == b->kind && uuid_compare(&a->id, &b->id) == 0 &&
	       same_text(a->tenant_id, b->tenant_id) && same_text(a->name, b->name);
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
	fake->records = arena_grow(fake->arena, fake->records, fake->count, &fake->capacity,
				   sizeof(*fake->records));
	fake->records[fake->count++] = *change->record;
}

void fake_registry_apply(struct fake_registry *fake, const struct effects *effects) {
	for (size_t i = 0; i < effects->change_count; i++)
		apply(fake, &effects->changes[i]);
}

static int webhook_get(void *userdata, struct arena *arena _unused_, const char *tenant_id,
		       const struct uuid *id, struct webhook *out) {
	struct fake_registry *fake = userdata;
	struct state_record *record;

	if (fake->error)
		return fake->error;
	record = fake_registry_find(
	    fake, &(struct state_key){ .kind = STATE_WEBHOOK, .tenant_id = tenant_id, .id = *id });
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

/* Keeps those within the bounds. What a record has beside its headers does not count here. */
static void bound_webhooks(struct webhook_list *list, const struct webhook_query *query) {
	size_t bytes = 0, within = 0;

	while (within < list->count && within < query->limit && bytes < query->bytes_max) {
		const struct webhook *webhook = &list->items[within++];

		for (size_t i = 0; i < webhook->header_count; i++)
			bytes += webhook->headers[i].sealed_len;
	}
	list->has_more = within < list->count;
	list->count = within;
}

static int webhook_list(void *userdata, struct arena *arena, const char *tenant_id,
			const struct webhook_query *query, struct webhook_list *out) {
	struct fake_registry *fake = userdata;
	struct webhook place = { 0 };

	if (fake->error)
		return fake->error;
	if (query->after) {
		place.created_at_ms = query->after->created_at_ms;
		place.id = query->after->id;
	}
	*out = (struct webhook_list){
		.items = arena_alloc(arena, (fake->count + 1) * sizeof(*out->items)),
	};
	for (size_t i = 0; i < fake->count; i++) {
		const struct state_record *record = &fake->records[i];

		if (record->kind != STATE_WEBHOOK ||
		    !same_text(record->webhook.tenant_id, tenant_id))
			continue;
		if (!query->after || compare_places(&record->webhook, &place) > 0)
			out->items[out->count++] = record->webhook;
	}
	qsort(out->items, out->count, sizeof(*out->items), compare_places);
	bound_webhooks(out, query);
	return 0;
}

static int receipt_get(void *userdata, struct arena *arena _unused_, const char *tenant_id,
		       const char *command_id, struct receipt *out) {
	struct fake_registry *fake = userdata;
	struct state_record *record;

	if (fake->error)
		return fake->error;
	record = fake_registry_find(fake, &(struct state_key){ .kind = STATE_RECEIPT,
							       .tenant_id = tenant_id,
							       .name = command_id });
	if (!record)
		return REGISTRY_E_NOT_FOUND;
	*out = record->receipt;
	return 0;
}

static bool is_key_of(const struct state_record *record, const char *tenant_id) {
	return record->kind == STATE_SIGNING_KEY &&
	       same_text(record->signing_key.tenant_id, tenant_id);
}

static int signing_key_newest(void *userdata, struct arena *arena _unused_, const char *tenant_id,
			      struct signing_key *out) {
	struct fake_registry *fake = userdata;
	const struct signing_key *newest = NULL;

	if (fake->error)
		return fake->error;
	for (size_t i = 0; i < fake->count; i++)
		if (is_key_of(&fake->records[i], tenant_id) &&
		    (!newest || fake->records[i].signing_key.epoch > newest->epoch))
			newest = &fake->records[i].signing_key;
	if (!newest)
		return REGISTRY_E_NOT_FOUND;
	*out = *newest;
	return 0;
}

static int signing_key_count(void *userdata, const char *tenant_id, int64_t now_ms, size_t limit,
			     size_t *out) {
	struct fake_registry *fake = userdata;

	*out = 0;
	for (size_t i = 0; i < fake->count && *out < limit; i++) {
		int64_t expires_at_ms = fake->records[i].signing_key.expires_at_ms;

		*out += is_key_of(&fake->records[i], tenant_id) &&
			(expires_at_ms == 0 || expires_at_ms > now_ms);
	}
	return fake->error;
}

static int webhook_count(void *userdata, const char *tenant_id, int64_t *out) {
	struct fake_registry *fake = userdata;

	*out = 0;
	for (size_t i = 0; i < fake->count; i++)
		*out += fake->records[i].kind == STATE_WEBHOOK &&
			same_text(fake->records[i].webhook.tenant_id, tenant_id);
	return fake->error;
}

static int subscribers(void *userdata, struct arena *arena, const char *tenant_id,
		       const struct subscriber_query *query, struct subscriber **out,
		       size_t *count) {
	const struct webhook_query all = { .limit = SIZE_MAX, .bytes_max = SIZE_MAX };
	struct webhook_list list;
	size_t walked = 0;
	int r = webhook_list(userdata, arena, tenant_id, &all, &list);

	*count = 0;
	if (r)
		return r;
	*out = arena_alloc(arena, (list.count + 1) * sizeof(**out));
	for (size_t i = 0; i < list.count && *count < query->limit; i++) {
		const struct webhook *webhook = &list.items[i];
		struct subscriber subscriber = { .webhook_id = webhook->id };

		subscriber.types = subscriber_types(webhook);
		if (!subscriber.types ||
		    (query->of_notices && !(subscriber.types & SUBSCRIBER_TAKES_NOTICES)))
			continue;
		if (query->walked_max > 0 && walked++ == query->walked_max)
			break;
		if (subscriber.types & SUBSCRIBER_HAS_MORE)
			subscriber_add_more(&subscriber, arena, webhook);
		if (query->takes(query->userdata, &subscriber))
			(*out)[(*count)++] = subscriber;
	}
	return 0;
}

static int delivery_find(void *userdata, const struct uuid *id, enum delivery_status *status,
			 int64_t *due_ms) {
	struct fake_registry *fake = userdata;
	struct state_record *record;

	if (fake->error)
		return fake->error;
	record = fake_registry_find(fake, &(struct state_key){ .kind = STATE_DELIVERY, .id = *id });
	if (!record)
		return REGISTRY_E_NOT_FOUND;
	*status = record->delivery.status;
	*due_ms = record->delivery.next_attempt_at_ms;
	return 0;
}

static int delivery_get(void *userdata, struct arena *arena _unused_, const struct uuid *id,
			struct delivery *out) {
	struct fake_registry *fake = userdata;
	const struct state_record *record;

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

static bool is_in(const struct delivery_walk *walk, const struct state_record *record) {
	const struct delivery *delivery = &record->delivery;

	return record->kind == STATE_DELIVERY && delivery->status == walk->status &&
	       uuid_compare(&delivery->webhook_id, &walk->webhook_id) == 0 &&
	       delivery->next_attempt_at_ms >= walk->since_ms &&
	       delivery->next_attempt_at_ms <= walk->until_ms;
}

static int delivery_ended(void *userdata, struct arena *arena, const struct delivery_walk *walk,
			  struct delivery **out, size_t *count, int64_t *next_ms) {
	struct fake_registry *fake = userdata;
	struct delivery *all = arena_alloc(arena, (fake->count + 1) * sizeof(*all));
	size_t found = 0, bytes = 0, walked_bytes = 0;

	*out = arena_alloc(arena, (fake->count + 1) * sizeof(**out));
	*count = 0;
	*next_ms = 0;
	for (size_t i = 0; i < fake->count; i++)
		if (is_in(walk, &fake->records[i]))
			all[found++] = fake->records[i].delivery;
	qsort(all, found, sizeof(*all), compare_due);
	for (size_t i = 0; i < found; i++) {
		bool is_full =
		    *count > 0 && (*count >= walk->bounds.count || bytes >= walk->bounds.bytes);

		if (is_full || ((i >= walk->walked.count || walked_bytes >= walk->walked.bytes) &&
				all[i].next_attempt_at_ms > all[i - 1].next_attempt_at_ms)) {
			*next_ms = all[i].next_attempt_at_ms;
			break;
		}
		walked_bytes += all[i].body_len;
		if (!walk->takes(walk->userdata, &all[i]))
			continue;
		bytes += all[i].body_len;
		(*out)[(*count)++] = all[i];
	}
	return fake->error;
}

void fake_registry_init(struct fake_registry *fake, struct arena *arena) {
	*fake = (struct fake_registry){
		.registry = {
			.userdata = fake,
			.webhook_get = webhook_get,
			.webhook_list = webhook_list,
			.receipt_get = receipt_get,
			.webhook_count = webhook_count,
			.subscribers = subscribers,
			.signing_key_newest = signing_key_newest,
			.signing_key_count = signing_key_count,
			.delivery_find = delivery_find,
			.delivery_get = delivery_get,
			.delivery_ended = delivery_ended,
		},
		.arena = arena,
	};
}
