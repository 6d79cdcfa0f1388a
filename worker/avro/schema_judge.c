#include "avro/schema_judge.h"

#include "avro/json_parse.h"
#include "base/buffer.h"

#include <ctype.h>

enum { NAME_MAX_BYTES = 512, FIXED_MAX = 1024 * 1024 };

struct judge {
	struct arena *arena;
	json_t *names; /* an object: the full names that are defined so far */
	int depth, count;
	const char *why;
};

static int judge_type(struct judge *judge, const json_t *type, const char *space);

static int refuse(struct judge *judge, const char *why) {
	if (!judge->why)
		judge->why = why;
	return 1;
}

static int count_one(struct judge *judge) {
	return ++judge->count > SCHEMA_JUDGE_COUNT ? refuse(judge, "it has too many parts") : 0;
}

static bool is_primitive(const char *name) {
	static const char *const primitives[] = { "null",  "boolean", "int",   "long",
						  "float", "double",  "bytes", "string" };

	for (size_t i = 0; i < ARRAY_LEN(primitives); i++)
		if (!strcmp(primitives[i], name))
			return true;
	return false;
}

/* Whether it is made of names, with dots between where `may_have_dots`. */
static bool is_name(const char *text, bool may_have_dots) {
	bool begins = true;

	if (!text || !*text || strlen(text) > NAME_MAX_BYTES)
		return false;
	for (; *text; text++) {
		if (*text == '.' && may_have_dots && !begins)
			begins = true;
		else if (isalpha((unsigned char)*text) || *text == '_' ||
			 (isdigit((unsigned char)*text) && !begins))
			begins = false;
		else
			return false;
	}
	return !begins;
}

/* Adds `name` to a set of names. Returns false where it has it. */
static bool add_to_set(json_t *set, const char *name) {
	if (json_object_get(set, name))
		return false;
	json_object_set_new(set, name, json_true());
	return true;
}

static const char *full_name(struct judge *judge, const char *name, const char *space) {
	return strchr(name, '.') || !*space ? name
					    : arena_printf(judge->arena, "%s.%s", space, name);
}

static int judge_reference(struct judge *judge, const char *name, const char *space) {
	if (is_primitive(name))
		return 0;
	if (!is_name(name, true))
		return refuse(judge, "a type has no name");
	if (json_object_get(judge->names, full_name(judge, name, space)))
		return 0;
	return refuse(judge, arena_printf(judge->arena, "the type %s is not defined", name));
}

static int judge_union(struct judge *judge, const json_t *branches, const char *space) {
	if (json_array_size(branches) == 0)
		return refuse(judge, "a union has no branch");
	for (size_t i = 0; i < json_array_size(branches); i++) {
		if (json_is_array(json_array_get(branches, i)))
			return refuse(judge, "a union has a union as a branch");
		if (judge_type(judge, json_array_get(branches, i), space))
			return 1;
	}
	return 0;
}

static void json_freep(json_t **json) {
	json_decref(*json);
}

static int judge_fields(struct judge *judge, const json_t *fields, const char *space) {
	_cleanup_(json_freep) json_t *seen = json_object();

	if (!json_is_array(fields))
		return refuse(judge, "a record has no fields");
	for (size_t i = 0; i < json_array_size(fields); i++) {
		const json_t *field = json_array_get(fields, i);
		const char *name = json_string_value(json_object_get(field, "name"));

		if (!is_name(name, false) || !add_to_set(seen, name))
			return refuse(judge, "a field has no name of its own");
		if (count_one(judge) || judge_type(judge, json_object_get(field, "type"), space))
			return 1;
	}
	return 0;
}

static int judge_symbols(struct judge *judge, const json_t *symbols) {
	_cleanup_(json_freep) json_t *seen = json_object();

	if (json_array_size(symbols) == 0)
		return refuse(judge, "an enum has no symbols");
	for (size_t i = 0; i < json_array_size(symbols); i++) {
		const char *symbol = json_string_value(json_array_get(symbols, i));

		if (count_one(judge))
			return 1;
		if (!is_name(symbol, false) || !add_to_set(seen, symbol))
			return refuse(judge, "an enum's symbol is no name of its own");
	}
	return 0;
}

static int judge_size(struct judge *judge, const json_t *size) {
	if (!json_is_integer(size) || json_integer_value(size) < 0 ||
	    json_integer_value(size) > FIXED_MAX)
		return refuse(judge, "a fixed has no size");
	return 0;
}

/* The namespace of a definition and of all in it, or NULL where it has none that is valid. */
static const char *space_of(struct judge *judge, const json_t *type, const char *name,
			    const char *outer) {
	const json_t *given = json_object_get(type, "namespace");
	const char *dot = strrchr(name, '.'), *space = json_string_value(given);

	if (dot)
		return arena_strndup(judge->arena, name, (size_t)(dot - name));
	if (!given || json_is_null(given))
		return outer;
	return space && (!*space || is_name(space, true)) ? space : NULL;
}

static int judge_definition(struct judge *judge, const json_t *type, const char *kind,
			    const char *outer) {
	const char *name = json_string_value(json_object_get(type, "name")), *space;

	if (!is_name(name, true))
		return refuse(judge, "a type has no name");
	space = space_of(judge, type, name, outer);
	if (!space)
		return refuse(judge, "a namespace is no name");
	if (!add_to_set(judge->names, full_name(judge, name, space)))
		return refuse(judge, "a name is defined twice");
	if (!strcmp(kind, "record"))
		return judge_fields(judge, json_object_get(type, "fields"), space);
	if (!strcmp(kind, "enum"))
		return judge_symbols(judge, json_object_get(type, "symbols"));
	return judge_size(judge, json_object_get(type, "size"));
}

static int judge_object(struct judge *judge, const json_t *type, const char *space) {
	const char *kind = json_string_value(json_object_get(type, "type"));

	if (!kind)
		return refuse(judge, "a type is not a string");
	if (!strcmp(kind, "record") || !strcmp(kind, "enum") || !strcmp(kind, "fixed"))
		return judge_definition(judge, type, kind, space);
	if (!strcmp(kind, "array"))
		return judge_type(judge, json_object_get(type, "items"), space);
	if (!strcmp(kind, "map"))
		return judge_type(judge, json_object_get(type, "values"), space);
	return judge_reference(judge, kind, space);
}

static int judge_type(struct judge *judge, const json_t *type, const char *space) {
	int r;

	if (count_one(judge))
		return 1;
	if (++judge->depth > SCHEMA_JUDGE_DEPTH)
		return refuse(judge, "it is nested too deeply");
	if (json_is_string(type))
		r = judge_reference(judge, json_string_value(type), space);
	else if (json_is_array(type))
		r = judge_union(judge, type, space);
	else if (json_is_object(type))
		r = judge_object(judge, type, space);
	else
		r = refuse(judge, "a type is missing");
	judge->depth--;
	return r;
}

const char *schema_judge(struct arena *arena, const char *json, size_t len) {
	_cleanup_(json_freep) json_t *names = json_object(), *schema = NULL;
	struct judge judge = { .arena = arena, .names = names };

	if (len > SCHEMA_JUDGE_BYTES)
		return arena_printf(arena, "it has %zu bytes, more than %d", len,
				    SCHEMA_JUDGE_BYTES);
	schema = json_parse(json, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	if (!schema)
		return "it is not JSON";
	return judge_type(&judge, schema, "") ? judge.why : NULL;
}
