/* What handling something came to: changes for the changelog and events for webhook-results, in
 * order. Lives in an arena. */
#pragma once

#include "domain/state.h"
#include "domain/tenant_limit.h"

struct effects {
	struct arena *arena;
	struct change *changes;
	size_t change_count, change_capacity;
	struct analytic_event *events;
	size_t event_count, event_capacity;
	enum tenant_limit reached; /* why the command was refused, where that was a limit */
};

void effects_init(struct effects *effects, struct arena *arena);

/* Adds an upsert; the record is copied (shallowly) into the arena, and the copy returned. */
struct state_record *effects_put(struct effects *effects, const struct state_record *record);
void effects_delete(struct effects *effects, const struct state_key *key);
/* Bytes of the bodies of the deliveries that it puts: what makes effects large. */
size_t effects_body_bytes(const struct effects *effects);
void effects_event(struct effects *effects, const struct analytic_event *event);
