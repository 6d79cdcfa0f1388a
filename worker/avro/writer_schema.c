#include "avro/writer_schema.h"

#include "base/invariant.h"

#include <avro.h>

/* The named types so far, so that a reference finds its type, also from inside that type. */
struct compiler {
	struct arena *arena;
	struct named {
		avro_schema_t source;
		struct schema *schema;
	} *named;
	size_t named_count, named_capacity;
};

static const struct schema *compile(struct compiler *compiler, avro_schema_t source);

static enum schema_type type_of(avro_schema_t source) {
	switch (avro_typeof(source)) {
	case AVRO_NULL:
		return SCHEMA_NULL;
	case AVRO_BOOLEAN:
		return SCHEMA_BOOLEAN;
	case AVRO_INT32:
		return SCHEMA_INT;
	case AVRO_INT64:
		return SCHEMA_LONG;
	case AVRO_FLOAT:
		return SCHEMA_FLOAT;
	case AVRO_DOUBLE:
		return SCHEMA_DOUBLE;
	case AVRO_BYTES:
		return SCHEMA_BYTES;
	case AVRO_STRING:
		return SCHEMA_STRING;
	case AVRO_FIXED:
		return SCHEMA_FIXED;
	case AVRO_ENUM:
		return SCHEMA_ENUM;
	case AVRO_ARRAY:
		return SCHEMA_ARRAY;
	case AVRO_MAP:
		return SCHEMA_MAP;
	case AVRO_UNION:
		return SCHEMA_UNION;
	case AVRO_RECORD:
		return SCHEMA_RECORD;
	default: /* AVRO_LINK; and AVRO_INVALID, which only avro-c 1.12 has */
		impossible("a schema has a type, and its link was followed");
	}
}

static void compile_record(struct compiler *compiler, avro_schema_t source, struct schema *schema) {
	const char *space = avro_schema_namespace(source);
	size_t count = avro_schema_record_size(source);
	struct schema_child *fields = arena_alloc(compiler->arena, count * sizeof(*fields));

	schema->name = arena_strdup(compiler->arena, avro_schema_name(source));
	schema->space = arena_strdup(compiler->arena, space ? space : "");
	for (size_t i = 0; i < count; i++) {
		const char *name = avro_schema_record_field_name(source, (int)i);

		fields[i].name = arena_strdup(compiler->arena, name);
		fields[i].schema =
		    compile(compiler, avro_schema_record_field_get_by_index(source, (int)i));
	}
	schema->children = fields;
	schema->child_count = count;
}

static void compile_union(struct compiler *compiler, avro_schema_t source, struct schema *schema) {
	size_t count = avro_schema_union_size(source);
	struct schema_child *branches = arena_zalloc(compiler->arena, count * sizeof(*branches));

	for (size_t i = 0; i < count; i++)
		branches[i].schema = compile(compiler, avro_schema_union_branch(source, (int)i));
	schema->children = branches;
	schema->child_count = count;
}

static void compile_elements(struct compiler *compiler, avro_schema_t elements,
			     struct schema *schema) {
	struct schema_child *child = arena_zalloc(compiler->arena, sizeof(*child));

	child->schema = compile(compiler, elements);
	schema->children = child;
	schema->child_count = 1;
}

static const struct schema *find_named(const struct compiler *compiler, avro_schema_t source) {
	for (size_t i = 0; i < compiler->named_count; i++)
		if (compiler->named[i].source == source)
			return compiler->named[i].schema;
	return NULL;
}

static void remember(struct compiler *compiler, avro_schema_t source, struct schema *schema) {
	compiler->named = arena_grow(compiler->arena, compiler->named, compiler->named_count,
				     &compiler->named_capacity, sizeof(*compiler->named));
	compiler->named[compiler->named_count++] = (struct named){ source, schema };
}

static const struct schema *compile(struct compiler *compiler, avro_schema_t source) {
	const struct schema *known;
	struct schema *schema;

	if (avro_typeof(source) == AVRO_LINK)
		source = avro_schema_link_target(source);
	known = find_named(compiler, source);
	if (known)
		return known;
	schema = arena_zalloc(compiler->arena, sizeof(*schema));
	schema->type = type_of(source);
	if (schema->type == SCHEMA_RECORD) {
		remember(compiler, source, schema);
		compile_record(compiler, source, schema);
	} else if (schema->type == SCHEMA_UNION) {
		compile_union(compiler, source, schema);
	} else if (schema->type == SCHEMA_ARRAY) {
		compile_elements(compiler, avro_schema_array_items(source), schema);
	} else if (schema->type == SCHEMA_MAP) {
		compile_elements(compiler, avro_schema_map_values(source), schema);
	} else if (schema->type == SCHEMA_FIXED) {
		schema->size = (size_t)avro_schema_fixed_size(source);
	} else if (schema->type == SCHEMA_ENUM) {
		schema->size = (size_t)avro_schema_enum_number_of_symbols(source);
	}
	return schema;
}

static void source_freep(avro_schema_t *source) {
	if (*source)
		avro_schema_decref(*source);
}

int schema_parse(struct arena *arena, const char *json, size_t len, const struct schema **out,
		 const char **why) {
	_cleanup_(source_freep) avro_schema_t source = NULL;
	struct compiler compiler = { .arena = arena };

	if (avro_schema_from_json_length(json, len, &source)) {
		*why = arena_strdup(arena, avro_strerror());
		return SCHEMA_E_REFUSED;
	}
	*out = compile(&compiler, source);
	return 0;
}

const char *schema_type_name(enum schema_type type) {
	static const char *const names[] = {
		[SCHEMA_NULL] = "null",   [SCHEMA_BOOLEAN] = "boolean", [SCHEMA_INT] = "int",
		[SCHEMA_LONG] = "long",   [SCHEMA_FLOAT] = "float",     [SCHEMA_DOUBLE] = "double",
		[SCHEMA_BYTES] = "bytes", [SCHEMA_STRING] = "string",   [SCHEMA_FIXED] = "fixed",
		[SCHEMA_ENUM] = "enum",   [SCHEMA_ARRAY] = "array",     [SCHEMA_MAP] = "map",
		[SCHEMA_UNION] = "union", [SCHEMA_RECORD] = "record",
	};

	return names[type];
}
