/*
 * The two stores that turns write to: the replica and the transactional producer. Each may fail and
 * is then made again, with growing pauses, until that works.
 */
#pragma once

#include "dispatch/dispatcher.h"
#include "pipeline/metrics.h"
#include "pipeline/step.h"
#include "rdkafka/transaction.h"
#include "restore/restorer.h"

struct stores;

struct stores_settings { /* all borrowed */
	const struct config *config;
	const struct topics *topics;
	const char *cluster_id;
	struct codec *codec;
	struct restorer *restorer;     /* which are told of */
	struct dispatcher *dispatcher; /* each new replica */
	struct pipeline_metrics *metrics;
};

struct stores *stores_new(const struct stores_settings *settings);
void stores_free(struct stores *stores);
DEFINE_CLEANUP(struct stores, stores_free)

/*
 * Opens the replica for the first time. Returns 0, also where there is no room for it now; or a
 * negative errno (logged) of what time does not mend.
 */
int stores_open(struct stores *stores) _must_check_;

/* Makes what is missing or to be replaced: one try, of some seconds at most. */
struct step stores_prepare(struct stores *stores) _must_check_;
/* Whether both are there. */
bool stores_are_ready(const struct stores *stores);

/* NULL: there is none now. Borrowed until the next stores_prepare or stores_drop. */
struct replica *stores_replica(const struct stores *stores);
struct transaction *stores_transaction(const struct stores *stores);

/* The producer is of no use; the next one settles what it left open. */
void stores_drop_transaction(struct stores *stores);
/*
 * SQLite failed with `error`, a negative errno: the file is removed, which loses nothing (R7). No
 * restore may be writing.
 */
void stores_drop_replica(struct stores *stores, int error);

/* How often in a row making one of them failed; the more of the two. */
int stores_failures(const struct stores *stores);
/* The replica has served for a while: its next failure is the first. */
void stores_forget_failures(struct stores *stores, int64_t now_ms);
