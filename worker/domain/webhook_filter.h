/* A webhook's filter: which of the events that it subscribes to lead to a delivery. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct text_list {
	const char **items;
	size_t count;
};

/* Each list that is not empty has to have the event's value, exactly. */
struct webhook_filter {
	struct text_list credential_configuration_ids, formats, credential_profiles, subjects;
};

/* What of an event a filter looks at; NULL: it has none. */
struct event_facts {
	const char *credential_configuration_id, *format, *credential_profile, *subject;
};

bool webhook_filter_matches(const struct webhook_filter *filter, const struct event_facts *facts);
