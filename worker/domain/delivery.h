/*
 * A delivery: one event on its way to one webhook's endpoint, from the commit that recorded it to
 * its end.
 *
 *               recorded with its webhook's command        record_delivery
 *                           │
 *                           ▼       attempt failed, another is scheduled: handle_outcome
 *                  ┌──► PENDING ───────────────┐
 *                  │      │  │ ◄───────────────┘
 *           resent │      │  └───── 2xx ────────────► (gone: tombstone)    handle_outcome
 *                  │      │           └─ where it is kept: SUCCEEDED
 *                  │      ├─── webhook deleted ─────► (gone: tombstone)    handle_cancelled
 *                  │      │    or disabled
 *                  │      ▼ schedule exhausted: handle_outcome
 *                  └──── DEAD ──── retention over ──► (gone: tombstone)    replica_expired
 *                        SUCCEEDED
 *       resend_delivery, also of a pending one: due now
 *
 * The changelog's record is the truth. An attempt whose outcome was not committed did not happen,
 * and the delivery is sent again with the same id.
 */
#pragma once

#include "base/arena.h"
#include "base/uuid.h"

#include <stddef.h>
#include <stdint.h>

enum delivery_status {
	DELIVERY_PENDING,
	DELIVERY_DEAD,
	DELIVERY_SUCCEEDED, /* edition 2: kept for delivery.succeeded.retention */
	DELIVERY_STATUS_COUNT,
};

/* "pending", "dead", "succeeded" */
const char *delivery_status_name(enum delivery_status status);

enum { DELIVERY_STATUS_E_UNKNOWN = 1 };

/* Returns 0, or DELIVERY_STATUS_E_UNKNOWN. */
int delivery_status_parse(const char *name, enum delivery_status *out) _must_check_;

struct delivery {
	struct uuid id;       /* webhook-id of every attempt (R11) */
	struct uuid event_id; /* the same for all webhooks that get the event */
	struct uuid webhook_id;
	const char *tenant_id;
	const char *command_id;
	const char *request_id;  /* NULL: none */
	const char *client_id;   /* NULL: none */
	const char *traceparent; /* NULL: none */
	const char *event_type;
	const char *body; /* JSON; the same bytes in every attempt */
	size_t body_len;
	enum delivery_status status;
	int32_t attempts;           /* finished and committed */
	int32_t last_status;        /* HTTP; 0: none */
	const char *last_reason;    /* NULL before the first failure */
	int64_t created_at_ms;      /* wall: when the delivery was recorded */
	int64_t next_attempt_at_ms; /* wall. Pending: when it is due, at once when not in the
				       future. Else: when it ended. */

	/* Edition 2. */
	const char *subject;    /* of an event of one's own, NULL: none; see delivery_subject */
	const char *tracestate; /* NULL: none */
};

enum { DELIVERY_BODY_MAX = 256 * 1024 };

/* The bounds of one read of deliveries: no further one is read past this number, or past these
 * bytes of records. */
struct delivery_bounds {
	size_t count, bytes;
};

/* Copies a delivery's texts into the arena, without or with its body. */
struct delivery delivery_copy_without_body(struct arena *arena, const struct delivery *delivery);
struct delivery delivery_copy(struct arena *arena, const struct delivery *delivery);
/* The same delivery without what it borrows: texts and body are NULL. */
struct delivery delivery_without_texts(const struct delivery *delivery);

/* The longest wait that a Retry-After may ask for. */
enum { RETRY_AFTER_MAX_MS = 24 * 3600 * 1000 };

struct retry_policy {
	const int64_t *schedule_ms; /* the wait after the 1st, 2nd, ... failed attempt */
	size_t schedule_count;
	double jitter; /* 0..1, of each wait, up and down */
};

/*
 * The wait after the `attempts`th failed attempt in milliseconds, or -1 when the schedule is
 * exhausted. The jitter is a hash of the delivery's id and the attempt, so a replay decides the
 * same. `retry_after_ms` (-1: none) is clamped to [back-off, 24 h].
 */
int64_t retry_delay_ms(const struct retry_policy *policy, const struct uuid *delivery_id,
		       int32_t attempts, int64_t retry_after_ms);

/*
 * When a pending delivery is due for this process: at the recorded time, or now where the recorded
 * time is further ahead than the schedule or a Retry-After can put it. In that case the clock was
 * wrong when it was recorded (R10).
 *
 * `clock_was_ahead`: it is known that a clock was, so a Retry-After is not believed, and of the
 * schedule only the wait after its last attempt.
 */
int64_t retry_due_ms(const struct retry_policy *policy, const struct delivery *delivery,
		     int64_t now_ms, bool clock_was_ahead);
