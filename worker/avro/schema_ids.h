/* The schemas that ids of a schema registry name, as far as they are known. What is known of an id
 * stays: a registry never gives it to another schema. Any thread. */
#pragma once

#include "avro/record.h"
#include "avro/writer_schema.h"

#include <stdbool.h>
#include <stdint.h>

/* Immutable once it is in the table, and there as long as the table is. */
struct schema_of_id {
	const struct schema *schema; /* NULL: records of this id are refused */
	const struct record *record; /* of ours that it is a version of */
	const char *why;             /* of the refusal */
};

enum { SCHEMA_IDS_MAX = 65536, SCHEMA_IDS_USABLE_MAX = 1024 };

struct schema_ids;

struct schema_ids *schema_ids_new(void);
void schema_ids_free(struct schema_ids *ids);
DEFINE_CLEANUP(struct schema_ids, schema_ids_free)

/* Judges and parses the schema in `json`, and remembers the outcome. What is known of the id
 * already stays. */
void schema_ids_learn(struct schema_ids *ids, uint32_t id, const char *json, size_t len);
/* Remembers that records of this id are refused. */
void schema_ids_refuse(struct schema_ids *ids, uint32_t id, const char *why);
/* NULL: nothing is known of it. */
const struct schema_of_id *schema_ids_find(struct schema_ids *ids, uint32_t id);
