#include "avro/schema_ids.h"

#include "avro/known_records.h"
#include "avro/schema_judge.h"

#include <pthread.h>
#include <uthash.h>

struct entry {
	uint32_t id;
	struct schema_of_id known;
	UT_hash_handle hh;
};

struct schema_ids {
	pthread_mutex_t lock;
	struct arena *arena;
	struct entry *entries;
	size_t usable;
};

struct schema_ids *schema_ids_new(void) {
	struct schema_ids *ids = x_calloc(1, sizeof(*ids));

	pthread_mutex_init(&ids->lock, NULL);
	ids->arena = arena_new();
	return ids;
}

void schema_ids_free(struct schema_ids *ids) {
	if (!ids)
		return;
	HASH_CLEAR(hh, ids->entries);
	arena_free(ids->arena);
	pthread_mutex_destroy(&ids->lock);
	free(ids);
}

static struct entry *find(const struct schema_ids *ids, uint32_t id) {
	struct entry *entry;

	HASH_FIND(hh, ids->entries, &id, sizeof(id), entry);
	return entry;
}

/* Past the bound nothing is remembered. */
static void add(struct schema_ids *ids, uint32_t id, const struct schema_of_id *known) {
	struct entry *entry;

	if (HASH_COUNT(ids->entries) >= SCHEMA_IDS_MAX)
		return;
	entry = arena_zalloc(ids->arena, sizeof(*entry));
	entry->id = id;
	entry->known = *known;
	if (known->schema)
		ids->usable++;
	HASH_ADD(hh, ids->entries, id, sizeof(entry->id), entry);
}

static const char *describe_stranger(struct schema_ids *ids, const struct schema *schema) {
	if (schema->type != SCHEMA_RECORD)
		return arena_printf(ids->arena, "it is of the type %s, not of a record",
				    schema_type_name(schema->type));
	return arena_printf(ids->arena, "it is of the schema %s%s%s, which is none of posthorn's",
			    schema->space, *schema->space ? "." : "", schema->name);
}

/* Parses into `scratch` first: of a schema that is refused, only the reason is kept. */
static void judge(struct schema_ids *ids, struct arena *scratch, const char *json, size_t len,
		  struct schema_of_id *out) {
	const char *why = schema_judge(scratch, json, len);

	if (!why && ids->usable == SCHEMA_IDS_USABLE_MAX)
		why = "too many schemas are in use";
	if (why || schema_parse(scratch, json, len, &out->schema, &why))
		out->why = arena_printf(ids->arena, "its schema is refused: %s", why);
	else if (!(out->record = known_record_of(out->schema)))
		out->why = describe_stranger(ids, out->schema);
	else if (schema_parse(ids->arena, json, len, &out->schema, &out->why) == 0)
		return;
	out->schema = NULL;
}

void schema_ids_learn(struct schema_ids *ids, uint32_t id, const char *json, size_t len) {
	_cleanup_(arena_freep) struct arena *scratch = arena_new();
	struct schema_of_id known = { 0 };

	pthread_mutex_lock(&ids->lock);
	if (!find(ids, id)) {
		judge(ids, scratch, json, len, &known);
		add(ids, id, &known);
	}
	pthread_mutex_unlock(&ids->lock);
}

void schema_ids_refuse(struct schema_ids *ids, uint32_t id, const char *why) {
	struct schema_of_id known = { 0 };

	pthread_mutex_lock(&ids->lock);
	if (!find(ids, id)) {
		known.why = arena_strdup(ids->arena, why);
		add(ids, id, &known);
	}
	pthread_mutex_unlock(&ids->lock);
}

const struct schema_of_id *schema_ids_find(struct schema_ids *ids, uint32_t id) {
	const struct entry *entry;

	pthread_mutex_lock(&ids->lock);
	entry = find(ids, id);
	pthread_mutex_unlock(&ids->lock);
	return entry ? &entry->known : NULL;
}
