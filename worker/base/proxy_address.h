/* A forward proxy: where it listens, and as whom one logs in. */
#pragma once

#include "base/memory.h"

#include <stdint.h>

/* All are owned and NULL without a proxy. */
struct proxy_address {
	char *location; /* "http://proxy.corp:3128" */
	char *user;     /* NULL: no login */
	char *password; /* NULL: none was given with the user */
};

/*
 * Parses http://[user[:password]@]host:port; user and password may be percent-encoded. Returns 0
 * with an address that the caller destroys, or -EINVAL with the broken rule in `why` (static text:
 * never a part of the address, which may hold a password).
 */
int proxy_address_parse(const char *text, struct proxy_address *out, const char **why);
/* Wipes the password. Safe on an address of zeros, and leaves one. */
void proxy_address_destroy(struct proxy_address *address);
