/*
 * Requests that wait for the outcome of their command, by tenant, command id and request id.
 *
 *     pending_add ──► waiting ──┬── pending_settle: its outcome came ───► done(outcome)
 *         │                     ├── pending_expire: its time is over ───► done(NULL)
 *         ├─ FULL: 429          └── pending_cancel: it was never sent     (nothing is called)
 *         └─ EXISTS: 409
 *
 * `done` is called exactly once, by whichever thread settles or expires, without the lock. The
 * request id is part of the name because others may use the same command id at the same time, with
 * other content: the outcome says whose it is. Of two with the same name it would not, so that a
 * name is there once.
 */
#pragma once

#include "domain/analytic_event.h"
#include "domain/command.h"

#include <stdbool.h>

struct pending;

/* `outcome` lives until the function returns; NULL: none came in time. */
typedef void (*pending_fn)(void *userdata, const struct analytic_event *outcome);

/*
 * At most `max` at once, each for `timeout_ms`; of one tenant at most as many as it leaves free:
 * half of them where it is alone, a third of them where another does the same. So there is always
 * room for whoever comes next, and nobody has to say how many tenants there will be.
 */
struct pending *pending_new(size_t max, int64_t timeout_ms);
/* Nothing waits any more. */
void pending_free(struct pending *pending);
DEFINE_CLEANUP(struct pending, pending_free)

/* FULL: of all, or of this tenant. EXISTS: one of the same name waits. */
enum { PENDING_E_FULL = 1, PENDING_E_EXISTS = 2 };

/* `done` may be called before this returns: by the outcome of an earlier one of the same name,
 * whose time was over. */
int pending_add(struct pending *pending, const struct command_envelope *envelope, pending_fn done,
		void *userdata) _must_check_;
/* Whether it was still waiting: that of this `userdata`, and never a later one of the same name. */
bool pending_cancel(struct pending *pending, const struct command_envelope *envelope,
		    const void *userdata);
void pending_settle(struct pending *pending, const struct analytic_event *outcome);
/* Those whose time is over at `now_ms` (monotonic). */
void pending_expire(struct pending *pending, int64_t now_ms);
size_t pending_count(struct pending *pending);
