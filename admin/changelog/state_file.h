/*
 * State as a file, to keep or to move: JSON lines of the changelog's records, without positions.
 *
 *     {"format":"posthorn-state","version":1,"tenantId":null,"createdAt":"2026-..."}
 *     {"key":"webhook/acme/...","tenantId":"acme","record":"<base64 of the record's bytes>"}
 *     {"records":1,"blake2b":"<hex, 32 bytes, of all lines before this one>"}
 *
 * A record is the changelog's bytes, so that an import is exact. It may hold a credential: the file
 * is its owner's alone. createdAt is before the first record was read: the state has what was
 * handled until then, and may have what was handled later.
 */
#pragma once

#include "avro/codec.h"
#include "terminal/status.h"

struct state_file_record {
	const char *key;
	const char *tenant_id;
	const void *value;
	size_t len;
};

/* The tenant that the record belongs to; a position belongs to none: NULL. */
const char *state_tenant(const struct state_record *record);

struct state_file_writer;

/* What its head tells. */
struct state_file_head {
	const char *tenant_id; /* NULL: all */
	int64_t created_at_ms; /* wall */
};

/* Never over a file that exists; it has the name only once it is complete. */
enum admin_status state_file_create(const char *path, const struct state_file_head *head,
				    struct state_file_writer **out) _must_check_;
enum admin_status state_file_add(struct state_file_writer *writer,
				 const struct state_file_record *record) _must_check_;
/* Writes the end, and gives the file its name. */
enum admin_status state_file_end(struct state_file_writer *writer) _must_check_;
/* Removes a file that was not ended. Safe on NULL. */
void state_file_writer_free(struct state_file_writer *writer);
DEFINE_CLEANUP(struct state_file_writer, state_file_writer_free)

/* Called for each record, borrowed until it returns; another status than ADMIN_OK ends the walk. */
typedef enum admin_status (*state_file_fn)(void *userdata, const struct state_file_record *record);

/*
 * Reads a file from its head to its end, and judges all of it: each record is decoded, and its key
 * and tenant are its own. With `fn` NULL it is judged alone, before anything is done with it.
 * Prints the line and the rule that is broken.
 */
enum admin_status state_file_walk(const char *path, struct codec *codec, state_file_fn fn,
				  void *userdata, uint64_t *records) _must_check_;
