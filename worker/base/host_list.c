#include "base/host_list.h"

#include "base/elements.h"
#include "base/memory.h"

#include <ctype.h>
#include <errno.h>

/* Source: RFC 1035 section 2.3.4. */
enum { NAME_MAX_LEN = 253, LABEL_MAX_LEN = 63, ELEMENTS_MAX = 1024 };

void host_list_destroy(struct host_list *list) {
	for (size_t i = 0; i < list->suffix_count; i++)
		free(list->suffixes[i].text);
	free(list->suffixes);
	free(list->networks.items);
	*list = (struct host_list){ 0 };
}

static bool is_label(const char *label, size_t len) {
	if (len == 0 || len > LABEL_MAX_LEN || label[0] == '-' || label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)label[i]) && label[i] != '-' && label[i] != '_')
			return false;
	return true;
}

/* A name of letters, digits, hyphens and underscores. One that ends in a number is a slip in an
 * address: no host has such a name (domain/url_host.h). */
static bool is_name(const char *name) {
	const char *label = name, *dot;

	if (strlen(name) > NAME_MAX_LEN)
		return false;
	for (; (dot = strchr(label, '.')); label = dot + 1)
		if (!is_label(label, (size_t)(dot - label)))
			return false;
	return is_label(label, strlen(label)) && label[strspn(label, "0123456789")];
}

static int add_name(struct host_list *list, const char *element) {
	struct host_suffix suffix = { .excludes_itself = *element == '.' };
	const char *name = element + suffix.excludes_itself;

	if (!is_name(name))
		return -EINVAL;
	suffix.text = x_asprintf(".%s", name);
	for (char *p = suffix.text; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	list->suffixes[list->suffix_count++] = suffix;
	return 0;
}

static int add(struct host_list *list, const char *element) {
	struct network network;
	int r = network_parse(element, &network);

	if (r == -EINVAL)
		return add_name(list, element);
	if (r == 0)
		list->networks.items[list->networks.count++] = network;
	return r;
}

static struct host_list host_list_sized(size_t count) {
	return (struct host_list){
		.networks.items = x_calloc(count, sizeof(struct network)),
		.suffixes = x_calloc(count, sizeof(struct host_suffix)),
	};
}

int host_list_parse(const char *text, struct host_list *out, const char **why) {
	_cleanup_(x_freep) char *copy = x_strdup(text);
	_cleanup_(host_list_destroy) struct host_list list = { 0 };
	size_t count = *text ? elements_count(text) : 0;
	char *rest = count ? copy : NULL;

	*why = "must have at most 1024 networks and names";
	if (count > ELEMENTS_MAX)
		return -EINVAL;
	list = host_list_sized(count);
	for (char *element; (element = elements_next(&rest));) {
		int r = add(&list, element);

		*why = r == -EDOM
			   ? "has a network with bits outside its prefix"
			   : "must be networks and names like 10.0.0.0/8,corp.example,.internal";
		if (r < 0)
			return -EINVAL;
	}
	*out = list;
	list = (struct host_list){ 0 };
	return 0;
}

/* The suffix begins with a dot: where it ends the name, a label of the name ends before it. */
static bool suffix_contains(const struct host_suffix *suffix, const char *name, size_t len) {
	size_t suffix_len = strlen(suffix->text);

	if (!suffix->excludes_itself && len == suffix_len - 1)
		return !memcmp(name, suffix->text + 1, len);
	return len > suffix_len && !memcmp(name + len - suffix_len, suffix->text, suffix_len);
}

bool host_list_contains(const struct host_list *list, const char *host) {
	size_t len = strlen(host);
	struct network address;

	if (network_parse(host, &address) == 0)
		return network_list_contains(&list->networks, &address.address);
	if (len > 1 && host[len - 1] == '.')
		len--;
	for (size_t i = 0; i < list->suffix_count; i++)
		if (suffix_contains(&list->suffixes[i], host, len))
			return true;
	return false;
}
