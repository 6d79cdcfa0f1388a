/* A registry over an array: the fold of the changes that it is given, as the replica is. For tests
 * of the domain. */
#pragma once

#include "domain/effects.h"
#include "domain/registry.h"

struct fake_registry {
	struct registry registry;
	struct arena *arena; /* borrowed; what is applied must live in it, or as long */
	struct state_record *records;
	size_t count, capacity;
	int error; /* a negative errno that every look-up returns, or 0 */
};

void fake_registry_init(struct fake_registry *fake, struct arena *arena);
void fake_registry_apply(struct fake_registry *fake, const struct effects *effects);
/* NULL where there is none. */
struct state_record *fake_registry_find(struct fake_registry *fake, const struct state_key *key);
size_t fake_registry_count(const struct fake_registry *fake, enum state_kind kind);
