#include "domain/effects.h"

void effects_init(struct effects *effects, struct arena *arena) {
	*effects = (struct effects){ .arena = arena };
}

static void add_change(struct effects *effects, const struct change *change) {
	effects->changes = arena_grow(effects->arena, effects->changes, effects->change_count,
				      &effects->change_capacity, sizeof(*effects->changes));
	effects->changes[effects->change_count++] = *change;
}

struct state_record *effects_put(struct effects *effects, const struct state_record *record) {
	struct state_record *copy = arena_memdup(effects->arena, record, sizeof(*record));

	add_change(effects, &(struct change){ .key = state_record_key(copy), .record = copy });
	return copy;
}

void effects_delete(struct effects *effects, const struct state_key *key) {
	add_change(effects, &(struct change){ .key = *key });
}

void effects_event(struct effects *effects, const struct analytic_event *event) {
	effects->events = arena_grow(effects->arena, effects->events, effects->event_count,
				     &effects->event_capacity, sizeof(*effects->events));
	effects->events[effects->event_count++] = *event;
}

size_t effects_body_bytes(const struct effects *effects) {
	size_t bytes = 0;

	for (size_t i = 0; i < effects->change_count; i++) {
		const struct state_record *record = effects->changes[i].record;

		bytes += record && record->kind == STATE_DELIVERY ? record->delivery.body_len : 0;
	}
	return bytes;
}
