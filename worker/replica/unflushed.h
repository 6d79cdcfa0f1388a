/*
 * Records that no commit has written yet: pending deliveries, most of which end before a commit
 * would write them, and receipts. In a turn SQLite keeps a copy of every page that it changes for
 * the first time, and receipts are in the order of commands, which is none of their index; so they
 * wait for the commit, and are written one beside the other.
 *
 *     gone ── unflushed_put ──► NEW ── unflushed_turn_end ──► KEPT
 *
 *     NEW, KEPT ── unflushed_end, unflushed_write ──► LEAVING ── unflushed_turn_end ──► gone
 *
 *     KEPT before the turn ◄── unflushed_rollback ── LEAVING
 *     gone                 ◄── unflushed_rollback ── all that were put in the turn
 *
 * Of deliveries only a pending one without a row is held here. Every other record goes into its row
 * at once. A look-up that is not by key writes all of them first, but for that of what has expired:
 * it finds a receipt that is not written yet the next time. A rollback of the turn brings LEAVING
 * ones back, and SQLite undoes their rows.
 */
#pragma once

#include "base/memory.h"
#include "base/uuid.h"

#include <stdbool.h>

struct unflushed;

struct unflushed *unflushed_new(void);
void unflushed_free(struct unflushed *unflushed);

/* A record's key as its row has it: a delivery's id, or the text of a receipt's. */
struct unflushed_key {
	const void *bytes;
	size_t len;
};

/* The content of the row that the record would have. */
struct unflushed_row {
	struct unflushed_key key;
	int32_t partition;
	const void *value; /* the encoded record */
	size_t len;
	const char *tenant_id;  /* of a delivery; NULL: it is a receipt */
	struct uuid webhook_id; /* of a delivery */
	int64_t at_ms;          /* wall; when it is due, or expires */
};

/* Copies the row. Returns false when one of the same key is held already. */
bool unflushed_put(struct unflushed *unflushed, const struct unflushed_row *row);
/* The row of the key, or NULL. It lives until the next call that changes something. */
const struct unflushed_row *unflushed_get(const struct unflushed *unflushed,
					  const struct unflushed_key *key);
/* Takes the row of the key out, if the partition is its own. Returns whether it did. */
bool unflushed_end(struct unflushed *unflushed, const struct unflushed_key *key, int32_t partition);

/*
 * Calls `write` for each row and takes each out: SQLite has it then. Deliveries come in the order
 * in which they were put, receipts in that of their keys. A result of `write` other than 0 ends
 * the walk and is returned; the row that it was called for stays.
 */
typedef int (*unflushed_write_fn)(void *userdata, const struct unflushed_row *row);
int unflushed_write(struct unflushed *unflushed, bool in_turn, unflushed_write_fn write,
		    void *userdata) _must_check_;

void unflushed_turn_end(struct unflushed *unflushed);
void unflushed_rollback(struct unflushed *unflushed);
/* Bytes of all encoded records. */
size_t unflushed_bytes(const struct unflushed *unflushed);
