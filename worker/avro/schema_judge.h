/*
 * Judges a schema from a stranger, such as a registry's, before avro-c sees it. avro-c leaks what
 * it has parsed so far when it refuses a schema, and follows any nesting: so it gets only schemas
 * that it takes, within bounds. Source: Apache Avro 1.11 specification, "Schema Declaration".
 */
#pragma once

#include "base/arena.h"

enum {
	SCHEMA_JUDGE_BYTES = 1024 * 1024,
	SCHEMA_JUDGE_DEPTH = 64,   /* of types in types */
	SCHEMA_JUDGE_COUNT = 20000 /* types, fields and symbols */
};

/* Returns the reason why it is refused, in the arena or static; or NULL. */
const char *schema_judge(struct arena *arena, const char *json, size_t len);
