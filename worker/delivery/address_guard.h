/* Where a callback may go: public unicast addresses only, and the networks that
 * endpoint.allow.networks opens. */
#pragma once

#include "base/config.h"

#include <sys/socket.h>

/*
 * The special-purpose block that refuses the address a connection is about to be made to, as static
 * text; NULL where it may go there. `allowed` networks come first: they open what the table closes.
 */
const char *address_guard_refusal(const struct sockaddr *address,
				  const struct network_list *allowed);
