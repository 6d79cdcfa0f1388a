/*
 * The value that each step of the loop returns: the loop has one switch over it (loop.c), and
 * does nothing further before that is done.
 */
#pragma once

#include <stdbool.h>

enum step_end {
	STEP_DONE,
	STEP_REREAD,         /* the inputs are read again, from the last commit */
	STEP_RESYNC,         /* what the brokers hold is not known: a new producer, and every
				partition from the changelog (R9) */
	STEP_REPLICA_FAILED, /* the replica is made again from the changelog (R7) */
	STEP_EXPIRED,        /* the consumer is of no use: another one joins the group */
	STEP_REPLACED,       /* the pipeline ends: another worker has this worker.id */
	STEP_FATAL,          /* the pipeline ends: a restart alone does not mend it (logged) */
};

struct step {
	enum step_end end;
	bool more;      /* there may be more to do at once */
	int error;      /* STEP_REPLICA_FAILED: a negative errno */
	bool is_fenced; /* the group no longer knows this member */
};

static inline struct step step_replica_failed(int error) {
	return (struct step){ .end = STEP_REPLICA_FAILED, .more = true, .error = error };
}

static inline struct step step_end(enum step_end end) {
	return (struct step){ .end = end, .more = true };
}

static inline struct step step_done(bool more) {
	return (struct step){ .more = more };
}
