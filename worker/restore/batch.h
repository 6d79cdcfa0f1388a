/*
 * A batch: the records of one fold on their way into the replica, in the order of their keys. It is
 * written a slice at a time between the turns, or in the background by a thread of its own, for
 * which another thread decodes. The background is for a file that is being filled: no look-up needs
 * the file yet, so the next batch is read while this one is written.
 *
 *     EMPTY ───── batch_take_fold ──────────► FULL
 *     FULL ────── batch_write returns 1 ────► FULL
 *     FULL ────── batch_write returns 0 ────► EMPTY
 *     FULL ────── batch_write_background ───► IN BACKGROUND
 *     IN BACKGROUND ── batch_wait ──────────► EMPTY
 *
 * The replica belongs to the thread while the batch is IN BACKGROUND: no other thread calls it.
 */
#pragma once

#include "avro/codec.h"
#include "replica/replica.h"
#include "restore/fold.h"
#include "restore/metrics.h"

#include <pthread.h>
#include <semaphore.h>

/* The partition that the records of a source belong to. */
struct batch_source {
	uint32_t source;
	int32_t partition;
	const char *torn; /* static text; NULL, or why no more of the source is written */
};

struct batch {
	struct replica *replica;         /* borrowed */
	struct codec *codec;             /* borrowed */
	struct restore_metrics *metrics; /* borrowed */
	int wake_fd;                     /* an eventfd that is written to when the thread ends */

	struct fold *fold;            /* owned */
	struct batch_chunk *chunks;   /* owned; decoded records */
	sem_t decoded, applied;       /* chunks, between the two threads */
	struct batch_source *sources; /* owned; [source_count] */
	size_t source_count, source_capacity;

	pthread_t thread;
	bool in_background;
	atomic_bool has_ended; /* the thread */
	int r;                 /* the thread's result */
};

void batch_init(struct batch *batch, struct codec *codec, struct restore_metrics *metrics,
		int wake_fd);
/* Not IN BACKGROUND. */
void batch_destroy(struct batch *batch);

/* The sources are named before each write. Records of a source that is not named are not written.
 */
void batch_clear_sources(struct batch *batch);
void batch_add_source(struct batch *batch, uint32_t source, int32_t partition);

/* Takes the fold that was read and gives the batch's own, which must be empty, for it. */
void batch_take_fold(struct batch *batch, struct fold **read);
bool batch_is_empty(const struct batch *batch);

/*
 * Writes until the deadline (monotonic), inside the transaction that the caller has begun. Returns
 * 1 when more is left, 0 when the batch is empty, or a negative errno of the replica. A record that
 * cannot be decoded makes its source torn.
 */
int batch_write(struct batch *batch, int64_t deadline_ms) _must_check_;

/* Starts a thread that writes the whole batch in a transaction of its own. Returns false when there
 * is no thread; the batch is FULL then. */
bool batch_write_background(struct batch *batch) _must_check_;
/* Whether the thread still writes. */
bool batch_is_busy(const struct batch *batch);
/* Waits for the thread, if there is one. Returns 0, or a negative errno of the replica, which has
 * to be replaced then. */
int batch_wait(struct batch *batch) _must_check_;
