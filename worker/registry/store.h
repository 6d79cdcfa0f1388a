/*
 * Schemas that the registry has told, kept over restarts: files in the worker's data folder, which
 * may be deleted at any time.
 *
 *     DATA/schemas-HASH/7.avsc     the schema of id 7; the hash is of schema.registry.url
 *     DATA/schemas-HASH/results    the schema's fingerprint, the subject and the id of our events
 *
 * A failure is logged once and costs a question to the registry.
 */
#pragma once

#include "base/memory.h"

#include <stdbool.h>
#include <stdint.h>

struct schema_store;

enum { STORE_SCHEMA_MAX = 256 * 1024 }; /* bytes; a larger one is not kept */

/* NULL, logged: nothing is kept. */
struct schema_store *schema_store_open(const char *data_dir, const char *url);
void schema_store_free(struct schema_store *store);
DEFINE_CLEANUP(struct schema_store, schema_store_free)

/* Each schema that is there and whole. A damaged file is removed. */
typedef void (*schema_store_fn)(void *userdata, uint32_t id, const char *json, size_t len);
void schema_store_walk(struct schema_store *store, schema_store_fn fn, void *userdata);
void schema_store_put(struct schema_store *store, uint32_t id, const char *json, size_t len);

/* The id of our events' schema in a subject. */
bool schema_store_get_results(struct schema_store *store, const char *subject, uint64_t fingerprint,
			      uint32_t *id);
void schema_store_put_results(struct schema_store *store, const char *subject, uint64_t fingerprint,
			      uint32_t id);
