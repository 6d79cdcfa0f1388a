/*
 * Deliveries that no commit has written yet. Most end before one would, and then they cost SQLite
 * nothing.
 *
 *                  turn                                    after it
 *     put ──► new ──────┬── turn_end ──► there ──┬── its tombstone ──► gone at the turn's end
 *                       └── rollback ──► gone    └── write: a row ───► gone at the turn's end (at
 * once, where none is open)
 *
 * Only what is pending and has no row is young; what else is put goes into its row. Whoever reads
 * rows of pending deliveries other than by id has them written before. A rollback of the turn
 * brings back what left in it: SQLite undoes its rows.
 */
#pragma once

#include "base/memory.h"
#include "base/uuid.h"

#include <stdbool.h>

struct young;

struct young *young_new(void);
void young_free(struct young *young);

/* What its row holds. */
struct young_delivery {
	struct uuid id, webhook_id;
	const char *tenant_id;
	int32_t partition;
	int64_t due_ms;    /* wall */
	const void *value; /* the encoded record */
	size_t len;
};

/* Copies it. Returns whether it took it: not, when one of that id is there. */
bool young_put(struct young *young, const struct young_delivery *delivery);
/* That of the id, or NULL; lives until the next call that changes something. */
const struct young_delivery *young_get(const struct young *young, const struct uuid *id);
/* Takes it away; returns whether it was there. */
bool young_end(struct young *young, const struct uuid *id, int32_t partition);

/* `fn` for each, as they came, and takes it away: it is a row then. What `fn` returns, if not 0,
 * ends the walk and is returned. */
typedef int (*young_fn)(void *userdata, const struct young_delivery *delivery);
int young_write(struct young *young, bool in_turn, young_fn fn, void *userdata) _must_check_;

void young_turn_end(struct young *young);
void young_rollback(struct young *young);
/* Of their records. */
size_t young_bytes(const struct young *young);
