/*
 * The history and the follower of webhook-results that folds into it. It reads from where the file
 * ends, so the file is up to date some time after the start, and answers begin then.
 *
 *     started ──► reads the topic's past ──► READY: queries are answered
 *        ▲                │                        │
 *        │                └── SQLite fails ◄───────┤ the topic was cut beyond what is read next
 *        └─ history_follower_mend ──┘◄─────────────┘
 *           the file is opened again, or made anew
 */
#pragma once

#include "base/config.h"
#include "history/query.h"
#include "terminal/status.h"

struct history_follower;

/* Opens the history in gateway.data.dir. ADMIN_USAGE where the folder cannot be used. */
enum admin_status history_follower_open(const struct config *config,
					struct history_follower **out) _must_check_;
/* Starts the thread, once. `timeout_ms` is for finding the topic. */
enum admin_status history_follower_start(struct history_follower *follower,
					 int64_t timeout_ms) _must_check_;
void history_follower_stop(struct history_follower *follower);
DEFINE_CLEANUP(struct history_follower, history_follower_stop)

/* Starts it again after a failure, or a cut. Call it now and then, on one thread. */
void history_follower_mend(struct history_follower *follower);

/* The history, for one query; NULL until the topic's past is read, and while it fails. Never waits.
 */
struct history *history_follower_borrow(struct history_follower *follower);
/* After each call of borrow that returned a history. */
void history_follower_return(struct history_follower *follower);

/* Whether reading fails, or SQLite, or it is being mended. After the start. */
bool history_follower_is_failing(struct history_follower *follower);

struct history_figures {
	uint64_t folded; /* events since the start */
	int64_t bytes;   /* of the file, in use */
};
struct history_figures history_follower_figures(const struct history_follower *follower);
