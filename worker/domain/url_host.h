/* The host of an endpoint url: a name in IDNA A-label form, or an address that the policy allows.
 */
#pragma once

#include "base/arena.h"
#include "domain/url_policy.h"

/*
 * Normalises `host`, given as in the url, with the brackets of an IPv6 address. Returns 0 with the
 * normalised host in the arena: lower case, IPv6 with brackets, a name perhaps with the root's dot.
 * Or URL_E_REFUSED with the broken rule in `why`.
 */
int url_host_normalise(struct arena *arena, const char *host, const struct url_policy *policy,
		       char **out, const char **why) _must_check_;
