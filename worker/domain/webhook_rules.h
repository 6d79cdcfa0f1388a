/* The rules for a webhook's members that the configuration sets. */
#pragma once

#include "base/config.h"
#include "domain/event_catalogue.h"
#include "domain/url_policy.h"

struct webhook_rules {
	struct url_policy url_policy;
	struct event_catalogue catalogue;
};

/* Borrows from the configuration. */
static inline struct webhook_rules webhook_rules_of(const struct config *config) {
	return (struct webhook_rules){
		.url_policy = { config->endpoint_allow_http, &config->endpoint_allow_networks },
		.catalogue = { config->event_types.items, config->event_types.count },
	};
}
