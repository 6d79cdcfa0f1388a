/* What became of a transfer: its job's result, counted, and in words where an operator wants to
 * know. */
#pragma once

#include "delivery/transfer.h"

/* The transfer is still in its shard. `code` is curl's word on it, CURLE_OK also where the verdict
 * had fallen before. */
void verdict_write(struct transfer *transfer, CURLcode code);
