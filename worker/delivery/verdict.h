/* The end of a transfer: its result is written into its job, counted, and logged where it failed.
 */
#pragma once

#include "delivery/transfer.h"

/* The transfer ended with curl's `code`. Takes it out of its shard; its claim is to be released. */
void verdict_end(struct transfer *transfer, CURLcode code);

/* Ends a transfer that is under way: as an attempt where the response's status is known, else its
 * job is refused. */
void verdict_abandon(struct transfer *transfer);
