/* The result of a transfer: written into its job, counted, and logged where it failed. */
#pragma once

#include "delivery/transfer.h"

/* The transfer is still in its shard. `code` is curl's result; CURLE_OK also where the response's
 * status was known before an abandoned transfer ended. */
void verdict_write(struct transfer *transfer, CURLcode code);
