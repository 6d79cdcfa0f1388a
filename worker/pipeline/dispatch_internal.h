/* The dispatch's table of endpoints and of what is in memory. Only for this folder's dispatch*.c.
 */
#pragma once

#include "base/heap.h"
#include "domain/breaker.h"
#include "pipeline/dispatch.h"

#include <uthash.h>

#define NEVER INT64_MAX
#define LOOK INT64_C(0) /* due at once, because the webhook may have changed */

/* dispatch.h says which is whose. */
enum lane { LANE_PROMPT, LANE_UNPROVEN, LANE_FAILING, LANE_COUNT };

struct endpoint {
	struct uuid webhook_id;
	int32_t partition;
	uint32_t epoch;
	struct route *route; /* counted; NULL until it is needed, and after the webhook changed */
	int outstanding;     /* deliveries in memory */
	size_t outstanding_bytes; /* of the same */
	int window;               /* how many may be */
	int streak;               /* successes since the window last changed */
	int64_t
	    next_due_ms; /* wall: the earliest in the replica that is not in memory; NEVER: none */
	enum lane lane;
	struct breaker breaker;
	int64_t recorded_failing_ms; /* wall: since when it fails, as its webhook says; 0: it does
					not */
	int64_t updated_at_ms;       /* wall: of the webhook that the route is of */
	const char *withdrawn;       /* NULL, or why its deliveries are to end */
	struct route *reported; /* counted; on the list of reports, and where the attempts went;
				   NULL: it is not on it */
	struct endpoint *prev_report, *next_report;
	bool idle;            /* on the idle list */
	struct heap_node due; /* in its lane's heap while the replica has something for it and the
				 window has room */
	struct endpoint *prev, *next; /* of the idle list or of the withdrawn list */
	UT_hash_handle hh;
};

/* What a lane has in memory, or may have. */
struct holding {
	size_t count, bytes;
};

struct outstanding {
	struct uuid id;
	struct endpoint *endpoint;
	size_t bytes;
	UT_hash_handle hh;
};

struct dispatch {
	struct dispatch_settings settings;
	struct retry_policy retry;
	struct breaker_policy breaker;
	struct replica *replica;
	struct endpoint *endpoints;
	struct endpoint *idle; /* oldest first */
	size_t idle_count;
	struct endpoint *withdrawn;
	struct endpoint *reports; /* oldest first */
	int open_breakers;
	struct heap due[LANE_COUNT];
	struct outstanding *outstanding;
	struct holding held[LANE_COUNT], held_max[LANE_COUNT];
	int spread; /* in memory for prompt endpoints, of each at most SPREAD_PER_ENDPOINT */
	int64_t clock_ahead_ms;         /* the wall clock, of the monotonic one */
	struct job *batch, **batch_end; /* chosen, not yet handed over */
	struct arena *arena;
};

struct endpoint *endpoint_find(struct dispatch *dispatch, const struct uuid *webhook_id);
/* Finds or makes it, and notes whose it is now. */
struct endpoint *endpoint_get(struct dispatch *dispatch, const struct partition *partition,
			      const struct uuid *webhook_id);
void endpoint_free(struct dispatch *dispatch, struct endpoint *endpoint);

/* Puts the endpoint where its state belongs: into the heap, among the idle ones, or in neither
 * while its window is full. May free the oldest idle one. */
void endpoint_settle(struct dispatch *dispatch, struct endpoint *endpoint);
/* Takes it off the list of idle or of withdrawn ones. */
void endpoint_leave_lists(struct dispatch *dispatch, struct endpoint *endpoint);
/* Its webhook is gone or disabled. `reason` is static text. */
void endpoint_withdraw(struct dispatch *dispatch, struct endpoint *endpoint, const char *reason);

/* dispatch_health.c */

/* The window that any endpoint may have which does not fail: as many as may be in flight to it. */
int endpoint_full_window(const struct dispatch *dispatch);
/* Whether an attempt may begin now, as far as the endpoint itself is concerned. */
bool endpoint_is_open(const struct endpoint *endpoint, int64_t now_ms);
/* An attempt ended: the window, the breaker, and whether there is something to report. */
void endpoint_attempted(struct dispatch *dispatch, struct endpoint *endpoint,
			const struct job *job);
/* Its webhook is another now, or as good as that. */
void endpoint_reset_health(struct dispatch *dispatch, struct endpoint *endpoint);
/* What the webhook says of it, which an earlier worker may have found. */
void endpoint_recall_health(struct dispatch *dispatch, struct endpoint *endpoint,
			    const struct webhook *webhook);
void endpoint_leave_reports(struct dispatch *dispatch, struct endpoint *endpoint);

/* dispatch_memory.c */

/* How much each lane may have in memory. */
void lanes_init(struct dispatch *dispatch);
bool lane_is_full(const struct dispatch *dispatch, enum lane lane);
/* Moves it there with what it has in memory. It is in no heap until it is settled. */
void endpoint_set_lane(struct dispatch *dispatch, struct endpoint *endpoint, enum lane lane);

/* How many of the endpoint may be in memory now: where memory is scarce, no more than may be in
 * flight. */
int endpoint_window(const struct dispatch *dispatch, const struct endpoint *endpoint);
/* Whether one more of it may be. */
bool outstanding_has_room(const struct dispatch *dispatch, const struct endpoint *endpoint);
bool outstanding_has(const struct dispatch *dispatch, const struct uuid *delivery_id);
/* Makes a job of it for the next dispatch_submit. The endpoint has a route. */
void outstanding_add(struct dispatch *dispatch, struct endpoint *endpoint,
		     const struct delivery *delivery);
/* Returns whose it was, or NULL when it is not in memory. */
struct endpoint *outstanding_remove(struct dispatch *dispatch, const struct uuid *delivery_id);
void outstanding_forget(struct dispatch *dispatch, int32_t partition);
