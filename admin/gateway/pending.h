/*
 * Requests that wait for the outcome of their command, by tenant, command id and request id.
 *
 *     pending_add ──► waiting ──┬── pending_settle: the outcome came ───► done(outcome)
 *         │                     ├── pending_expire: the time is over ───► done(NULL)
 *         ├─ FULL: 429          └── pending_cancel: it was never sent     (done is not called)
 *         └─ EXISTS: 409
 *
 * `done` is called exactly once, on the thread that settles or expires, without the lock. The
 * request id is part of the name, since other requests may use the same command id at the same
 * time, with other content: the outcome has the request id of its own. Two requests with the same
 * name could not be told apart, so that a name waits only once.
 */
#pragma once

#include "domain/analytic_event.h"
#include "domain/command.h"

#include <stdbool.h>

struct pending;

/* `outcome` lives until the function returns; NULL: none came in time. */
typedef void (*pending_fn)(void *userdata, const struct analytic_event *outcome);

/* At most `max` requests wait at once, each for `timeout_ms`. A tenant may have at most as many as
 * it leaves free: a half where it is alone, a third where another tenant has as many. So there is
 * always room for another tenant, whatever their number. */
struct pending *pending_new(size_t max, int64_t timeout_ms);
/* Call it when nothing waits any more. */
void pending_free(struct pending *pending);
DEFINE_CLEANUP(struct pending, pending_free)

/* FULL: all places are taken, or the tenant's. EXISTS: a request of the same name waits. */
enum { PENDING_E_FULL = 1, PENDING_E_EXISTS = 2 };

/* Adds a request. `done` may be called before this returns, with the outcome of an earlier request
 * of the same name that had expired. */
int pending_add(struct pending *pending, const struct command_envelope *envelope, pending_fn done,
		void *userdata) _must_check_;
/* Takes out the request of this `userdata`, never a later one of the same name. Returns whether it
 * was still waiting. */
bool pending_cancel(struct pending *pending, const struct command_envelope *envelope,
		    const void *userdata);
void pending_settle(struct pending *pending, const struct analytic_event *outcome);
/* Expires the requests whose time is over at `now_ms` (monotonic). */
void pending_expire(struct pending *pending, int64_t now_ms);
size_t pending_count(struct pending *pending);
