/* The memory of the restorer. Only for restorer*.c, each of which has one part of it. */
#pragma once

#include "base/backoff.h"
#include "restore/batch.h"
#include "restore/clients.h"
#include "restore/progress.h"
#include "restore/restore.h"
#include "restore/restorer_settings.h"

struct restorer {
	struct restorer_settings settings;
	struct replica *replica; /* borrowed */

	struct restore *restores; /* owned */
	struct restore *ended;    /* owned; not taken yet */
	/* The restores of both lists, by partition; [by_partition_count]; the array is owned. */
	struct restore **by_partition;
	int32_t by_partition_count;
	uint32_t last_source;

	struct restore_clients clients;
	bool assignment_stale; /* the reader reads other partitions or offsets than it should */
	struct backoff ask_backoff; /* of the changelog's ends and leaders */

	struct fold *fold; /* owned; records that were read and are not in the batch */
	struct batch batch;
	int write_error;     /* a negative errno of the replica that the batch's thread met */
	struct arena *arena; /* of one poll */
	struct restore_progress progress;
};

/* The restore of a partition, also one that has ended; NULL: none. */
static inline struct restore *restorer_find(const struct restorer *restorer, int32_t partition) {
	return partition >= 0 && partition < restorer->by_partition_count
		   ? restorer->by_partition[partition]
		   : NULL;
}
