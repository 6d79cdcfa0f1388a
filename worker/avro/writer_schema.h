/*
 * A schema as the walks over a record's bytes need it: made once from avro-c's, then immutable.
 * Nothing else knows avro-c. (This folder has the name of avro-c's own: a header called schema.h,
 * value.h or io.h here would hide its <avro/schema.h>.)
 */
#pragma once

#include "base/arena.h"

enum schema_type {
	SCHEMA_NULL,
	SCHEMA_BOOLEAN,
	SCHEMA_INT,
	SCHEMA_LONG,
	SCHEMA_FLOAT,
	SCHEMA_DOUBLE,
	SCHEMA_BYTES,
	SCHEMA_STRING,
	SCHEMA_FIXED,
	SCHEMA_ENUM,
	SCHEMA_ARRAY,
	SCHEMA_MAP,
	SCHEMA_UNION,
	SCHEMA_RECORD,
};

struct schema;

struct schema_child {
	const char *name; /* a record's field */
	const struct schema *schema;
};

struct schema {
	enum schema_type type;
	const char *name;  /* RECORD: its name without the namespace */
	const char *space; /* RECORD: its namespace, "" without one */
	size_t size;       /* FIXED: bytes; ENUM: symbols */
	const struct schema_child
	    *children; /* RECORD: fields; UNION: branches; ARRAY, MAP: the element's schema */
	size_t child_count;
};

enum { SCHEMA_E_REFUSED = 1 };

/* Parses a schema's JSON. The result lives in the arena, and may refer to itself. Returns 0, or
 * SCHEMA_E_REFUSED with the reason in `why`. */
int schema_parse(struct arena *arena, const char *json, size_t len, const struct schema **out,
		 const char **why) _must_check_;

/* "string", "array", ...: static text. */
const char *schema_type_name(enum schema_type type);
