/*
 * A portion of what was read of the changelog, on its way from a fold into the replica, in the
 * order of the keys: a slice at a time between the turns, or whole by a thread of its own, for
 * which another one decodes. The thread is for a file that is being filled: nobody looks anything
 * up in it yet, so while one portion is written the next one is read.
 *
 *     empty -- portion_take --> taken -- portion_write: 0 --> empty
 *                               taken -- portion_write: 1 --> taken
 *                               taken -- portion_write_aside --> aside -- portion_settle --> empty
 *
 * While it is `aside` the replica belongs to the thread: nobody else calls anything of it.
 */
#pragma once

#include "avro/codec.h"
#include "pipeline/fold.h"
#include "pipeline/metrics.h"
#include "replica/replica.h"

#include <pthread.h>
#include <semaphore.h>

/* Where the records of a source belong. */
struct portion_source {
	uint32_t source;
	int32_t partition;
	const char *torn; /* NULL, or why no more of it is written */
};

struct portion {
	struct replica *replica; /* borrowed; so are the next two */
	struct codec *codec;
	struct pipeline_metrics *metrics;
	int wake_fd; /* an eventfd that is told when the thread has ended */

	struct fold *fold;              /* owned, as all below */
	struct batch *batches;          /* decoded, and to be applied */
	sem_t decoded, applied;         /* batches, while there is a thread for each */
	struct portion_source *sources; /* [source_count] */
	size_t source_count, source_capacity;

	pthread_t thread;
	bool is_aside;
	atomic_bool has_ended; /* the thread */
	int error;             /* its */
};

void portion_init(struct portion *portion, struct codec *codec, struct pipeline_metrics *metrics,
		  int wake_fd);
/* Settled before. */
void portion_destroy(struct portion *portion);

/* What the records belong to: forgotten first, then named anew, before each write. What was read of
 * another source is not written. */
void portion_forget_sources(struct portion *portion);
void portion_add_source(struct portion *portion, uint32_t source, int32_t partition);

/* Exchanges its fold, which must be empty, for the one that was read. */
void portion_take(struct portion *portion, struct fold **read);
bool portion_is_empty(const struct portion *portion);

/*
 * Writes until the deadline (monotonic) inside the transaction that the caller has begun. Returns 1
 * when more is left, 0 when it is empty, or a negative errno of the replica. A record that cannot
 * be decoded makes its source torn.
 */
int portion_write(struct portion *portion, int64_t deadline_ms) _must_check_;

/* Has all of it written, in a transaction of its own, by a thread. Returns whether there is one. */
bool portion_write_aside(struct portion *portion) _must_check_;
/* Whether the thread is still at it. */
bool portion_is_busy(const struct portion *portion);
/* Waits for the thread, if there is one. Returns 0, or a negative errno of the replica, which has
 * to be made anew then. */
int portion_settle(struct portion *portion) _must_check_;
