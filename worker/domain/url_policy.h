/* Which endpoint urls an operator allows. */
#pragma once

#include "base/network.h"

#include <stdbool.h>

enum { URL_E_REFUSED = 1 };

struct url_policy {
	bool allow_http; /* endpoint.allow.http */
	const struct network_list
	    *allow_networks; /* endpoint.allow.networks: where an IP literal is allowed */
};
