#include "avro/canonical.h"

#include "avro/json_parse.h"

#include <stdbool.h>

struct canonical {
	struct buffer *out;
	enum canonical_form form;
	char **names; /* owned, like each of them: the types defined so far */
	size_t name_count, name_capacity;
};

static int append_schema(struct canonical *canonical, const json_t *schema, const char *space);

static bool is_primitive(const char *name) {
	static const char *const primitives[] = { "null",  "boolean", "int",   "long",
						  "float", "double",  "bytes", "string" };

	for (size_t i = 0; i < ARRAY_LEN(primitives); i++)
		if (!strcmp(primitives[i], name))
			return true;
	return false;
}

/* Returns the full name: a name with a dot is one already, any other gets the enclosing
 * namespace. The caller frees it. */
static char *full_name(const char *name, const char *space) {
	return strchr(name, '.') || !*space ? x_strdup(name) : x_asprintf("%s.%s", space, name);
}

static void append_full_name(struct buffer *out, const char *name, const char *space) {
	_cleanup_(x_freep) char *full = full_name(name, space);

	buffer_append_json_string(out, full);
}

/* A name is defined once. Source: Apache Avro 1.11 specification, "Names". */
static int define(struct canonical *canonical, const char *name, const char *space) {
	_cleanup_(x_freep) char *full = full_name(name, space);

	for (size_t i = 0; i < canonical->name_count; i++)
		if (!strcmp(canonical->names[i], full))
			return CANONICAL_E_NAME_TWICE;
	if (canonical->name_count == canonical->name_capacity) {
		canonical->name_capacity = MAX(2 * canonical->name_capacity, (size_t)16);
		canonical->names = x_realloc(canonical->names,
					     canonical->name_capacity * sizeof(*canonical->names));
	}
	canonical->names[canonical->name_count++] = TAKE(full);
	return 0;
}

static int append_union(struct canonical *canonical, const json_t *branches, const char *space) {
	struct buffer *out = canonical->out;
	int r;

	buffer_append_char(out, '[');
	for (size_t i = 0; i < json_array_size(branches); i++) {
		if (i)
			buffer_append_char(out, ',');
		r = append_schema(canonical, json_array_get(branches, i), space);
		if (r)
			return r;
	}
	buffer_append_char(out, ']');
	return 0;
}

static int append_field(struct canonical *canonical, const json_t *field, const char *space) {
	struct buffer *out = canonical->out;
	const char *name = json_string_value(json_object_get(field, "name"));
	int r;

	if (!name)
		return CANONICAL_E_REFUSED;
	buffer_append_string(out, "{\"name\":");
	buffer_append_json_string(out, name);
	buffer_append_string(out, ",\"type\":");
	r = append_schema(canonical, json_object_get(field, "type"), space);
	if (r)
		return r;
	buffer_append_char(out, '}');
	return 0;
}

static int append_fields(struct canonical *canonical, const json_t *fields, const char *space) {
	struct buffer *out = canonical->out;
	int r;

	if (!json_is_array(fields))
		return CANONICAL_E_REFUSED;
	buffer_append_string(out, ",\"fields\":[");
	for (size_t i = 0; i < json_array_size(fields); i++) {
		if (i)
			buffer_append_char(out, ',');
		r = append_field(canonical, json_array_get(fields, i), space);
		if (r)
			return r;
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

/* Appends a record, enum or fixed. Its namespace holds for everything inside. */
static int append_named(struct canonical *canonical, const json_t *schema, const char *type,
			const char *space) {
	struct buffer *out = canonical->out;
	const char *name = json_string_value(json_object_get(schema, "name"));
	const char *given = json_string_value(json_object_get(schema, "namespace"));
	_cleanup_(x_freep) char *inner = NULL;
	const char *dot;
	int r;

	if (!name)
		return CANONICAL_E_REFUSED;
	dot = strrchr(name, '.');
	inner = dot ? x_strndup(name, (size_t)(dot - name)) : x_strdup(given ? given : space);
	r = define(canonical, name, inner);
	if (r)
		return r;
	buffer_append_string(out, "{\"name\":");
	append_full_name(out, name, inner);
	buffer_append_string(out, ",\"type\":");
	buffer_append_json_string(out, type);
	if (!strcmp(type, "enum"))
		r = append_symbols(out, json_object_get(schema, "symbols"));
	else if (!strcmp(type, "fixed"))
		buffer_printf(out, ",\"size\":%lld",
			      (long long)json_integer_value(json_object_get(schema, "size")));
	else
		r = append_fields(canonical, json_object_get(schema, "fields"), inner);
	buffer_append_char(out, '}');
	return r;
}

static int append_container(struct canonical *canonical, const json_t *schema, const char *type,
			    const char *member, const char *space) {
	struct buffer *out = canonical->out;
	int r;

	buffer_printf(out, "{\"type\":\"%s\",\"%s\":", type, member);
	r = append_schema(canonical, json_object_get(schema, member), space);
	if (r)
		return r;
	buffer_append_char(out, '}');
	return 0;
}

/* Appends a primitive type that is an object. Source of the forms beside the specification's: they
 * are what the libraries do (goavro 2.12, apache-avro 0.17; hamba 2.27, avro 1.12). */
static void append_primitive(struct canonical *canonical, const json_t *schema, const char *type) {
	const char *logical = json_string_value(json_object_get(schema, "logicalType"));
	struct buffer *out = canonical->out;

	if (canonical->form == CANONICAL_TYPE_OBJECTS && json_object_size(schema) > 1) {
		buffer_printf(out, "{\"type\":\"%s\"}", type);
	} else if (canonical->form == CANONICAL_LOGICAL_TYPES && logical) {
		buffer_printf(out, "{\"type\":\"%s\",\"logicalType\":", type);
		buffer_append_json_string(out, logical);
		buffer_append_char(out, '}');
	} else {
		buffer_append_json_string(out, type);
	}
}

static int append_object(struct canonical *canonical, const json_t *schema, const char *space) {
	const json_t *type = json_object_get(schema, "type");
	const char *name = json_string_value(type);

	if (!name)
		return append_schema(canonical, type, space);
	if (!strcmp(name, "record") || !strcmp(name, "enum") || !strcmp(name, "fixed"))
		return append_named(canonical, schema, name, space);
	if (!strcmp(name, "array"))
		return append_container(canonical, schema, name, "items", space);
	if (!strcmp(name, "map"))
		return append_container(canonical, schema, name, "values", space);
	if (!is_primitive(name))
		return append_schema(canonical, type, space);
	append_primitive(canonical, schema, name);
	return 0;
}

static int append_schema(struct canonical *canonical, const json_t *schema, const char *space) {
	const char *name = json_string_value(schema);

	if (name) {
		append_full_name(canonical->out, name, is_primitive(name) ? "" : space);
		return 0;
	}
	if (json_is_array(schema))
		return append_union(canonical, schema, space);
	if (json_is_object(schema))
		return append_object(canonical, schema, space);
	return CANONICAL_E_REFUSED;
}

static void json_freep(json_t **json) {
	json_decref(*json);
}

static void canonical_destroy(struct canonical *canonical) {
	for (size_t i = 0; i < canonical->name_count; i++)
		free(canonical->names[i]);
	free(canonical->names);
}

int canonical_append(struct buffer *out, const char *json, size_t len, enum canonical_form form) {
	_cleanup_(json_freep) json_t *schema = json_parse(json, len, JSON_DECODE_ANY, NULL);
	_cleanup_(canonical_destroy) struct canonical canonical = { .out = out, .form = form };

	return schema ? append_schema(&canonical, schema, "") : CANONICAL_E_REFUSED;
}
