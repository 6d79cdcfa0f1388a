/* The addresses that a callback may be sent to: public unicast ones, and the networks of
 * endpoint.allow.networks. */
#pragma once

#include "base/config.h"

#include <sys/socket.h>

/*
 * The name of the special-purpose block for which an address is refused, as static text; NULL where
 * it is not refused. An address of the `allowed` networks never is.
 */
const char *address_guard_refusal(const struct sockaddr *address,
				  const struct network_list *allowed);
