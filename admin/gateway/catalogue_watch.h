/* Whether the workers have the gateway's event.types: each position of the changelog has a hash of
 * its worker's. A disagreement is told of, and stops nothing. */
#pragma once

#include "avro/codec.h"
#include "domain/event_catalogue.h"
#include "kafka/reader.h"

struct catalogue_watch;

/* Borrows the codec. */
struct catalogue_watch *catalogue_watch_new(struct codec *codec, struct event_catalogue ours);
void catalogue_watch_free(struct catalogue_watch *watch);
DEFINE_CLEANUP(struct catalogue_watch, catalogue_watch_free)

/* Applies a record of the changelog, of any kind. Call it on one thread. */
void catalogue_watch_apply(struct catalogue_watch *watch, const struct record *record);
/* Logs the disagreements that have come since the last call. On the same thread, once the changelog
 * has been read: what was written before may be out of date. */
void catalogue_watch_tell(struct catalogue_watch *watch);
/* The partitions whose last worker has others. Any thread. */
int catalogue_watch_count(const struct catalogue_watch *watch);
