/*
 * A list of hosts by network and by name, in the form that NO_PROXY made known:
 *
 *     10.0.0.0/8, fd00::/8, 192.0.2.1    hosts that are addresses of the network
 *     corp.example                       the name, and every name below it
 *     .corp.example                      every name below it, and not the name
 *
 * No name is resolved: a name of an address in the network is none of its hosts. Source:
 * golang.org/x/net/http/httpproxy, Config.NoProxy.
 */
#pragma once

#include "base/network.h"

struct host_suffix {
	char *text;           /* owned; ".corp.example", in lower case */
	bool excludes_itself; /* "corp.example" is none of its hosts */
};

struct host_list {
	struct network_list networks;
	struct host_suffix *suffixes; /* owned; [suffix_count] */
	size_t suffix_count;
};

/* Parses elements with commas between, and blanks around them; an empty text is an empty list.
 * Returns 0 with a list that the caller destroys, or -EINVAL with the broken rule in `why` (static
 * text). */
int host_list_parse(const char *text, struct host_list *out, const char **why);
/* Safe on a list of zeros, and leaves one. */
void host_list_destroy(struct host_list *list);

/* Whether the host of a url is in the list: a name in lower case, perhaps with the root's dot, or
 * an address without brackets. */
bool host_list_contains(const struct host_list *list, const char *host);
