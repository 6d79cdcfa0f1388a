#include "domain/webhook_filter.h"

#include <string.h>

static bool has(const struct text_list *list, const char *text) {
	if (list->count == 0)
		return true;
	for (size_t i = 0; text && i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

bool webhook_filter_matches(const struct webhook_filter *filter, const struct event_facts *facts) {
	return has(&filter->credential_configuration_ids, facts->credential_configuration_id) &&
	       has(&filter->formats, facts->format) &&
	       has(&filter->credential_profiles, facts->credential_profile) &&
	       has(&filter->subjects, facts->subject);
}
