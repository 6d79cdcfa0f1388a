/*
 * Proof that the consumer group still counts on this worker, and for how long it holds: from the
 * moment at which the request was sent that the coordinator answered, for one session timeout. Past
 * that another worker may own the partitions, and no attempt may begin (delivery/engine.h).
 *
 *                          SyncGroup is answered
 *               ┌────────────────────────────────────────┐
 *               ▼                                        │
 *     ┌───► HOLDING ──── a session timeout passes ────► LAPSED ◄──┐
 *     │        │ heartbeat is answered                   │ │      │ heartbeat is answered:
 *     └────────┘◄──── so is one sent after that ─────────┘ └──────┘ perhaps with an error
 *
 * What an answer says is not known here, only that it came. While the lease holds that does no
 * harm: a member that is refused sends no more heartbeats until it has joined anew. After it lapsed
 * the answer to the first heartbeat sent since may be that refusal; a further one shows that it was
 * none. What was sent before it lapsed shows nothing: a worker that was stopped finds such an
 * answer when it wakes.
 *
 * librdkafka watches the session timeout too, but tells of it through queues that the delivery
 * threads, which woke with it, do not wait for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct lease {
	int64_t session_us;
	int64_t until_us;    /* monotonic; 0: nothing was proven yet */
	int64_t answered_us; /* when the first heartbeat that was sent after it lapsed was answered;
				0: none was */
};

void lease_init(struct lease *lease, int64_t session_us);

enum lease_proof { LEASE_HEARTBEAT, LEASE_SYNC };

/* An answer came now to what was sent then. Returns whether the lease holds longer than before. */
bool lease_answered(struct lease *lease, enum lease_proof proof, int64_t sent_us, int64_t now_us);
