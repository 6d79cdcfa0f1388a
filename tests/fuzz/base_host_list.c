/*
 * The list of hosts that endpoint.proxy.except has, against a model that goes over its text once
 * more: no list of suffixes, but the labels of host and element compared from their ends.
 */
#include "base/host_list.h"
#include "fuzz.h"
#include "network_model.h"

#include <strings.h>

static bool is_address(const char *host) {
	struct model_network network;

	return !strchr(host, '/') && model_parse(host, &network) == 0;
}

/* Whether the last label of both is the same; takes it off both. */
static bool pop_same_label(char *a, char *b) {
	char *a_dot = strrchr(a, '.'), *b_dot = strrchr(b, '.');
	bool same = !strcasecmp(a_dot ? a_dot + 1 : a, b_dot ? b_dot + 1 : b);

	*(a_dot ? a_dot : a) = '\0';
	*(b_dot ? b_dot : b) = '\0';
	return same;
}

static bool model_element_contains(const char *element, const char *host) {
	_cleanup_(x_freep) char *name = x_strdup(element + (*element == '.')),
				*rest = x_strdup(host);

	if (*rest && rest[1] && rest[strlen(rest) - 1] == '.')
		rest[strlen(rest) - 1] = '\0';
	while (*name)
		if (!*rest || !pop_same_label(name, rest))
			return false;
	return *rest || *element != '.';
}

/* Of the list's names alone: base_network.c has the networks. */
static bool model_list_contains(const char *text, const char *host) {
	_cleanup_(x_freep) char *copy = x_strdup(text);
	char *rest = *copy ? copy : NULL, *element; /* an empty text has none */

	while ((element = strsep(&rest, ","))) {
		struct model_network network;

		element += strspn(element, " \t");
		element[strcspn(element, " \t")] = '\0';
		if (model_parse(element, &network) != 0 && model_element_contains(element, host))
			return true;
	}
	return false;
}

/* The hosts that a url may have: lower case, no empty label, no slash, perhaps the root's dot. */
static bool is_host_of_url(const char *host) {
	if (!*host || *host == '.' || strstr(host, "..") || strchr(host, '/'))
		return false;
	for (const char *p = host; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			return false;
	return true;
}

static void check_addresses(const struct host_list *list, const char *host) {
	struct model_network network;
	struct in6_addr address;

	CHECK(model_parse(host, &network) == 0);
	for (size_t i = 0; i < 16; i++)
		address.s6_addr[i] = (uint8_t)(network.number >> (120 - 8 * i));
	CHECK(host_list_contains(list, host) == model_contains(&list->networks, &address));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct fuzz_input input = FUZZ_INPUT(data, size);
	_cleanup_(x_freep) char *host = fuzz_take_line(&input), *text = fuzz_take_line(&input);
	_cleanup_(host_list_destroy) struct host_list list = { 0 };
	const char *why = NULL;
	int r = host_list_parse(text, &list, &why);

	CHECK(r == 0 || (why && *why && !list.suffixes));
	if (r || !is_host_of_url(host))
		return 0;
	if (is_address(host))
		check_addresses(&list, host);
	else
		CHECK(host_list_contains(&list, host) == model_list_contains(text, host));
	return 0;
}
