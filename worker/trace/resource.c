#include "trace/resource.h"

#include "trace/pair_list.h"
#include "trace/span.h"

enum { ATTRIBUTES_MAX = 128 };

struct attribute {
	char *key, *value; /* owned */
};

struct resource {
	struct attribute items[ATTRIBUTES_MAX];
	size_t count;
};

static void resource_destroy(struct resource *resource) {
	for (size_t i = 0; i < resource->count; i++) {
		free(resource->items[i].key);
		free(resource->items[i].value);
	}
}

/* NULL: there is no room for another one. */
static struct attribute *find_or_add(struct resource *resource, const char *key) {
	for (size_t i = 0; i < resource->count; i++)
		if (!strcmp(resource->items[i].key, key))
			return &resource->items[i];
	if (resource->count == ATTRIBUTES_MAX)
		return NULL;
	resource->items[resource->count] = (struct attribute){ .key = x_strdup(key) };
	return &resource->items[resource->count++];
}

static int set(void *userdata, const char *key, const char *value) {
	struct attribute *attribute = find_or_add(userdata, key);

	if (!attribute)
		return RESOURCE_E_REFUSED;
	free(attribute->value);
	attribute->value = x_strdup(value);
	return 0;
}

static void append(struct buffer *out, const struct resource *resource) {
	buffer_append_string(out, "{\"attributes\":[");
	for (size_t i = 0; i < resource->count; i++) {
		const struct attribute *item = &resource->items[i];

		buffer_append_string(out, i ? "," : "");
		span_attribute_append_json(
		    out, &(struct span_attribute){ .key = item->key, .text = item->value });
	}
	buffer_append_string(out, "]}");
}

int resource_append_json(struct buffer *out, const char *attributes,
			 const struct resource_own *own) {
	_cleanup_(resource_destroy) struct resource resource = { 0 };
	int r = set(&resource, "service.name", "posthorn-worker");

	r = r ? r : set(&resource, "service.version", own->version);
	r = r ? r : set(&resource, "service.instance.id", own->instance);
	r = r ? r : pair_list_read(attributes, set, &resource);
	if (r == 0 && own->name)
		r = set(&resource, "service.name", own->name);
	if (r)
		return RESOURCE_E_REFUSED;
	append(out, &resource);
	return out->overflowed ? RESOURCE_E_REFUSED : 0;
}
