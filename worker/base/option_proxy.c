/* The kinds of option that describe the proxy. */
#include "base/config.h"
#include "base/option.h"

static int set_proxy(const struct option *option _unused_, const char *text, void *field,
		     struct buffer *rule) {
	struct proxy_address address = { 0 };
	const char *why;

	if (*text && proxy_address_parse(text, &address, &why) < 0) {
		buffer_append_string(rule, why);
		return CONFIG_E_REFUSED;
	}
	proxy_address_destroy(field);
	*(struct proxy_address *)field = address;
	return 0;
}

static void clear_proxy(void *field) {
	proxy_address_destroy(field);
}

static int set_hosts(const struct option *option _unused_, const char *text, void *field,
		     struct buffer *rule) {
	struct host_list list = { 0 };
	const char *why;

	if (host_list_parse(text, &list, &why) < 0) {
		buffer_append_string(rule, why);
		return CONFIG_E_REFUSED;
	}
	host_list_destroy(field);
	*(struct host_list *)field = list;
	return 0;
}

static void clear_hosts(void *field) {
	host_list_destroy(field);
}

const struct option_kind option_proxy = { .set = set_proxy, .clear = clear_proxy };
const struct option_kind option_hosts = { .set = set_hosts, .clear = clear_hosts };
