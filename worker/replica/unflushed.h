/*
 * Deliveries that no commit has written yet. Most end before a commit would write them, and those
 * cost SQLite nothing.
 *
 *     gone ── unflushed_put ──► NEW ── unflushed_turn_end ──► KEPT
 *
 *     NEW, KEPT ── unflushed_end, unflushed_write ──► LEAVING ── unflushed_turn_end ──► gone
 *
 *     KEPT before the turn ◄── unflushed_rollback ── LEAVING
 *     gone                 ◄── unflushed_rollback ── all that were put in the turn
 *
 * Only a pending delivery without a row is held here; every other record goes into its row at once.
 * A look-up of pending deliveries that is not by id writes all of them first. A rollback of the
 * turn brings LEAVING ones back, and SQLite undoes their rows.
 */
#pragma once

#include "base/memory.h"
#include "base/uuid.h"

#include <stdbool.h>

struct unflushed;

struct unflushed *unflushed_new(void);
void unflushed_free(struct unflushed *unflushed);

/* The content of the row that the delivery would have. */
struct unflushed_delivery {
	struct uuid id, webhook_id;
	const char *tenant_id;
	int32_t partition;
	int64_t due_ms;    /* wall */
	const void *value; /* the encoded record */
	size_t len;
};

/* Copies the delivery. Returns false when a delivery of the same id is held already. */
bool unflushed_put(struct unflushed *unflushed, const struct unflushed_delivery *delivery);
/* The delivery of the id, or NULL. It lives until the next call that changes something. */
const struct unflushed_delivery *unflushed_get(const struct unflushed *unflushed,
					       const struct uuid *id);
/* Takes the delivery of the id out, if the partition is its own. Returns whether it did. */
bool unflushed_end(struct unflushed *unflushed, const struct uuid *id, int32_t partition);

/*
 * Calls `write` for each delivery, in the order in which they were put, and takes each out: it is a
 * row then. A result of `write` other than 0 ends the walk and is returned; the delivery that it
 * was called for stays.
 */
typedef int (*unflushed_write_fn)(void *userdata, const struct unflushed_delivery *delivery);
int unflushed_write(struct unflushed *unflushed, bool in_turn, unflushed_write_fn write,
		    void *userdata) _must_check_;

void unflushed_turn_end(struct unflushed *unflushed);
void unflushed_rollback(struct unflushed *unflushed);
/* Bytes of all encoded records. */
size_t unflushed_bytes(const struct unflushed *unflushed);
