/* The effects of handling one command or outcome: changes for the changelog and events for
 * webhook-results, in order. They live in an arena. */
#pragma once

#include "domain/state.h"
#include "domain/tenant_limit.h"

struct effects {
	struct arena *arena;
	struct change *changes;
	size_t change_count, change_capacity;
	struct analytic_event *events;
	size_t event_count, event_capacity;
	int filtered;            /* deliveries that a filter left out */
	bool is_asked_for;       /* the deliveries are to be sent now */
	unsigned told, left_out; /* notices: sets of 1 << enum event_type_builtin */
	int64_t resume_ms; /* the command goes on in a later turn, from this time on; 0: not */
	enum tenant_limit reached; /* the limit for which the command was refused */
};

void effects_init(struct effects *effects, struct arena *arena);

/* Adds an upsert. Copies the record (shallowly) into the arena and returns the copy. */
struct state_record *effects_put(struct effects *effects, const struct state_record *record);
void effects_delete(struct effects *effects, const struct state_key *key);
/* The bytes of the bodies of all deliveries in the changes, which are most of the effects' size. */
size_t effects_body_bytes(const struct effects *effects);
void effects_event(struct effects *effects, const struct analytic_event *event);
