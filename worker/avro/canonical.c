#include "avro/canonical.h"

#include <jansson.h>
#include <stdbool.h>

static int append_schema(struct buffer *out, const json_t *schema, const char *space);

static bool is_primitive(const char *name) {
	static const char *const primitives[] = { "null", "boolean", "int", "long", "float", "double", "bytes", "string" };

	for (size_t i = 0; i < ARRAY_LEN(primitives); i++)
		if (!strcmp(primitives[i], name))
			return true;
	return false;
}

/* A name with a dot is full already; any other belongs to the namespace around it. */
static void append_full_name(struct buffer *out, const char *name, const char *space) {
	_cleanup_(x_freep) char *full = NULL;

	full = strchr(name, '.') || !*space ? x_strdup(name) : x_asprintf("%s.%s", space, name);
	buffer_append_json_string(out, full);
}

static int append_union(struct buffer *out, const json_t *branches, const char *space) {
	buffer_append_char(out, '[');
	for (size_t i = 0; i < json_array_size(branches); i++) {
		if (i)
			buffer_append_char(out, ',');
		if (append_schema(out, json_array_get(branches, i), space))
			return CANONICAL_E_REFUSED;
	}
	buffer_append_char(out, ']');
	return 0;
}

static int append_field(struct buffer *out, const json_t *field, const char *space) {
	const char *name = json_string_value(json_object_get(field, "name"));

	if (!name)
		return CANONICAL_E_REFUSED;
	buffer_append_string(out, "{\"name\":");
	buffer_append_json_string(out, name);
	buffer_append_string(out, ",\"type\":");
	if (append_schema(out, json_object_get(field, "type"), space))
		return CANONICAL_E_REFUSED;
	buffer_append_char(out, '}');
	return 0;
}

static int append_fields(struct buffer *out, const json_t *fields, const char *space) {
	if (!json_is_array(fields))
		return CANONICAL_E_REFUSED;
	buffer_append_string(out, ",\"fields\":[");
	for (size_t i = 0; i < json_array_size(fields); i++) {
		if (i)
			buffer_append_char(out, ',');
		if (append_field(out, json_array_get(fields, i), space))
			return CANONICAL_E_REFUSED;
	}
	buffer_append_char(out, ']');
	return 0;
}

static int append_symbols(struct buffer *out, const json_t *symbols) {
	if (!json_is_array(symbols))
		return CANONICAL_E_REFUSED;
	buffer_append_string(out, ",\"symbols\":[");
	for (size_t i = 0; i < json_array_size(symbols); i++) {
		const char *symbol = json_string_value(json_array_get(symbols, i));

		if (!symbol)
			return CANONICAL_E_REFUSED;
		if (i)
			buffer_append_char(out, ',');
		buffer_append_json_string(out, symbol);
	}
	buffer_append_char(out, ']');
	return 0;
}

/* Record, enum or fixed. The name's own namespace holds for everything inside. */
static int append_named(struct buffer *out, const json_t *schema, const char *type, const char *space) {
	const char *name = json_string_value(json_object_get(schema, "name"));
	const char *given = json_string_value(json_object_get(schema, "namespace"));
	_cleanup_(x_freep) char *inner = NULL;
	const char *dot;

	if (!name)
		return CANONICAL_E_REFUSED;
	dot = strrchr(name, '.');
	inner = dot ? x_strndup(name, (size_t)(dot - name)) : x_strdup(given ? given : space);
	buffer_append_string(out, "{\"name\":");
	append_full_name(out, name, inner);
	buffer_append_string(out, ",\"type\":");
	buffer_append_json_string(out, type);
	if (!strcmp(type, "enum")) {
		if (append_symbols(out, json_object_get(schema, "symbols")))
			return CANONICAL_E_REFUSED;
	} else if (!strcmp(type, "fixed")) {
		buffer_printf(out, ",\"size\":%lld", (long long)json_integer_value(json_object_get(schema, "size")));
	} else if (append_fields(out, json_object_get(schema, "fields"), inner)) {
		return CANONICAL_E_REFUSED;
	}
	buffer_append_char(out, '}');
	return 0;
}

static int append_container(struct buffer *out, const json_t *schema, const char *type, const char *member, const char *space) {
	buffer_printf(out, "{\"type\":\"%s\",\"%s\":", type, member);
	if (append_schema(out, json_object_get(schema, member), space))
		return CANONICAL_E_REFUSED;
	buffer_append_char(out, '}');
	return 0;
}

static int append_object(struct buffer *out, const json_t *schema, const char *space) {
	const json_t *type = json_object_get(schema, "type");
	const char *name = json_string_value(type);

	if (!name)
		return append_schema(out, type, space);
	if (!strcmp(name, "record") || !strcmp(name, "enum") || !strcmp(name, "fixed"))
		return append_named(out, schema, name, space);
	if (!strcmp(name, "array"))
		return append_container(out, schema, name, "items", space);
	if (!strcmp(name, "map"))
		return append_container(out, schema, name, "values", space);
	return append_schema(out, type, space);
}

static int append_schema(struct buffer *out, const json_t *schema, const char *space) {
	const char *name = json_string_value(schema);

	if (name) {
		append_full_name(out, name, is_primitive(name) ? "" : space);
		return 0;
	}
	if (json_is_array(schema))
		return append_union(out, schema, space);
	if (json_is_object(schema))
		return append_object(out, schema, space);
	return CANONICAL_E_REFUSED;
}

static void json_freep(json_t **json) {
	json_decref(*json);
}

int canonical_append(struct buffer *out, const char *json, size_t len) {
	_cleanup_(json_freep) json_t *schema = json_loadb(json, len, JSON_DECODE_ANY, NULL);

	return schema ? append_schema(out, schema, "") : CANONICAL_E_REFUSED;
}
