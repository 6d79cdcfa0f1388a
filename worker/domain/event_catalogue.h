/* The types of event that webhooks may subscribe to: the built-in ones and event.types. */
#pragma once

#include "domain/event_type.h"

#include <stddef.h>
#include <stdint.h>

/* event.types; borrowed, in the configuration's order. */
struct event_catalogue {
	char *const *own;
	size_t own_count;
};

/* Whether webhooks may subscribe to the type. */
bool event_catalogue_has(struct event_catalogue catalogue, const char *type);
/* Whether it is one of event.types. */
bool event_catalogue_has_own(struct event_catalogue catalogue, const char *type);
/* A hash of event.types in any order, by which workers tell that they disagree; 0: there are none.
 */
int64_t event_catalogue_hash(struct event_catalogue catalogue);
