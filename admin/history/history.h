/*
 * The history: what became of each delivery and command, folded from webhook-results into one
 * SQLite file. It answers GET /v1/deliveries and GET /v1/events. The only folder of admin/ that
 * knows SQLite.
 *
 * The file can be deleted at any time: it is read again from the topic, as far as the topic
 * reaches. A commit writes the rows with the offsets up to which they reflect the topic, so a
 * process that dies has folded each event once. A file that is damaged, of another schema or of
 * another cluster's topic is made anew.
 *
 *     history_claim, history_resume of each partition
 *            ▼
 *     webhook-results ──► history_fold ... ──► history_commit ──► history_prune
 *                            │ older than the retention: passed over    │ the oldest go first
 *                            ▼                                          ▼
 *                         rows, offsets                           history_complete_since
 *
 * A delivery, by its events:
 *
 *            RECEIVE, or an attempt of one whose recording is not here
 *               │
 *               ▼         RETRY, RESEND
 *        ┌──► PENDING ───────────────┐
 *        │      │ ▲ ◄────────────────┘
 *  RESEND│      │ ├─ PROCESS_SUCCESS ──────────────────► SUCCEEDED ── RESEND ──► PENDING
 * RECEIVE│      │ └─ PROCESS_FAIL without an attempt ──► WITHDRAWN
 *        └── DEAD ◄── PROCESS_FAIL
 *
 * Each event is applied whatever the state: the topic is right, and may begin anywhere.
 *
 * One thread folds. Queries (history/query.h) have connections of their own and see the last commit
 * (WAL): neither waits for the other.
 */
#pragma once

#include "avro/codec.h"
#include "domain/analytic_event.h"

struct history;

enum history_status {
	HISTORY_PENDING,
	HISTORY_SUCCEEDED,
	HISTORY_DEAD,
	HISTORY_WITHDRAWN,
	HISTORY_STATUS_COUNT,
};

/* "pending", "succeeded", "dead", "withdrawn" */
const char *history_status_name(enum history_status status);

struct history_settings {
	const char *data_dir; /* borrowed; made (0700) where it is not there */
	int64_t retention_ms; /* events that are older are deleted */
	int64_t bytes_max;    /* of the file */
};

/* Opens or makes <data_dir>/history.db and locks it against a second gateway. Returns 0 or a
 * negative errno after logging; -EBUSY: another process has it. */
int history_open(const struct history_settings *settings, struct history **out) _must_check_;
/* What is not committed is folded again the next time. A file that is damaged is removed. */
void history_close(struct history *history);
DEFINE_CLEANUP(struct history, history_close)

/* All below return 0 or -EIO, after logging; then the history is to be closed, and opened again. */

/* The history is of this topic: its cluster and its name. One that is of another is made anew. No
 * query may run. */
int history_claim(struct history *history, const char *source) _must_check_;
/* Returns the offset to go on from, between `begin` and `end` of the partition; or -EIO. Where the
 * topic has lost what comes next, the answers are complete from the next event on. Where it ends
 * before what was read of it, it is another one of that name: the history is damaged. `now_ms`:
 * wall. */
int64_t history_resume(struct history *history, int32_t partition, int64_t begin, int64_t end,
		       int64_t now_ms) _must_check_;
/* All that the topic had is folded, and is to be committed. Where nothing followed what was lost,
 * the answers are complete since history_resume. */
int history_settle(struct history *history) _must_check_;

/* Applies an event. It is visible after the commit. `now_ms`: wall. */
int history_fold(struct history *history, const struct analytic_event *event, int32_t partition,
		 int64_t offset, int64_t now_ms) _must_check_;
/* Commits what is folded, if anything is. */
int history_commit(struct history *history) _must_check_;
/* Deletes some of the oldest where the retention or the file's size asks for it, and commits.
 * Returns HISTORY_E_MORE (1) where there is more to delete. */
enum { HISTORY_E_MORE = 1 };
int history_prune(struct history *history, int64_t now_ms) _must_check_;

/* Whether SQLite found the file damaged, in a query too: it is to be closed, and opened again. */
bool history_is_damaged(const struct history *history);

/* Events that were folded since the opening, and bytes of the file in use. The folding thread's. */
uint64_t history_folded(const struct history *history);
int64_t history_bytes(const struct history *history);
