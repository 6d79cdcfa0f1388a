/* The inputs of the partitions that this worker owns: their reading, their losses and their lag. */
#pragma once

#include "base/memory.h"
#include "pipeline/step.h"

#include <librdkafka/rdkafka.h>

struct ownership;

/* Reads the inputs of the active partitions that are not held, from the last commit, and nothing
 * else. */
struct step ownership_read(struct ownership *ownership) _must_check_;
/* Events of one's own are read as long as every worker of the group can read what follows from them
 * (R13): ends with STEP_REREAD where that has changed. */
struct step ownership_heed_group(struct ownership *ownership) _must_check_;
/* Partitions that were held for want of a right to write dead letters go on once it is there: ends
 * with STEP_REREAD then. */
struct step ownership_let_on(struct ownership *ownership) _must_check_;
/* The brokers do not have an offset of `list` that is to be read next. */
void ownership_note_lost(struct ownership *ownership, const rd_kafka_topic_partition_list_t *list);
/*
 * Goes on from the first record there is, or the end, loudly. Ends with STEP_REREAD where an input
 * was lost.
 */
struct step ownership_skip_lost(struct ownership *ownership, rd_kafka_t *client) _must_check_;
/* Renews the gauge of the group's older workers. */
void ownership_update_group(struct ownership *ownership);
/* Renews the gauges of the inputs' lag. */
void ownership_update_lag(struct ownership *ownership);
