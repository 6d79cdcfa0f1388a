/*
 * The replica as the files of this folder share it. Of replica.h each has one part: open.c, turns.c
 * and those that are named after their calls.
 */
#pragma once

#include "replica/absent_ids.h"
#include "replica/replica.h"
#include "replica/statement.h"
#include "replica/subscriber_cache.h"
#include "replica/unflushed.h"

/* The number of indexes that a file makes only once it is filled (fill.c). */
enum { REPLICA_LATE = 4 };

/* A row of meta that stands for as long as the file is being filled. A file that still has it when
 * it is opened is made anew. */
#define REPLICA_FILLING "filling"

struct replica {
	sqlite3 *db;
	struct statements statements;
	struct codec *codec; /* borrowed */
	struct registry registry;
	struct arena *scratch; /* for the keys of one call */
	char *file;            /* owned; the database's path */
	int lock_fd;           /* of <data_dir>/lock; -1: opened to read */

	/* This process made the file, and nothing was put into it or read from it yet. */
	bool is_new;
	/* The file has no journal: a transaction cannot be rolled back. */
	bool is_filling;
	char *late[REPLICA_LATE]; /* owned; the SQL of the indexes that are to come */

	bool in_turn;                /* between replica_turn_begin and its end */
	bool is_gathering;           /* turns have ended, or one is open, since the last commit */
	int64_t gather_since_ms;     /* monotonic; when the first of these turns began */
	int64_t turn_ended_ms;       /* monotonic; when the last of these turns ended */
	struct unflushed *unflushed; /* owned; records of these turns that have no row */

	struct subscriber_cache *subscribers; /* owned; as of the last change */
	struct absent_ids absent;             /* of rows */

	/* SQLite refused something. The gathered turns may be gone: no turn begins or ends, and
	 * nothing is committed. */
	bool failed;
	/* The file is not to be believed: it is removed when it is closed. */
	bool damaged;
};

/* The statement, ready to be bound. */
static inline sqlite3_stmt *replica_statement(struct replica *replica, enum statement statement) {
	return replica->statements.prepared[statement];
}

/* apply.c: writes a row for each record that has none. Called before every look-up of pending
 * deliveries that is not by id, and of all rows. Returns 0 or -EIO. */
int replica_write_unflushed(struct replica *replica) _must_check_;

/* registry_deliveries.c: look-ups of domain/registry.h. */
int replica_delivery_find(void *userdata, const struct uuid *id, enum delivery_status *status,
			  int64_t *due_ms);
int replica_delivery_get(void *userdata, struct arena *arena, const struct uuid *id,
			 struct delivery *out);
int replica_delivery_ended(void *userdata, struct arena *arena, const struct delivery_walk *walk,
			   struct delivery **out, size_t *count, int64_t *next_ms);

/* registry.c: fills the handlers' look-ups in. */
void replica_registry_init(struct registry *registry, struct replica *replica);
