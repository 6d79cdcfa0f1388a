/* The header lines of an attempt's request. */
#pragma once

#include "delivery/transfer.h"

/* Signs the callback and writes its lines, as one text. curl copies a header into the request as it
 * is, and looks at each one of its list a dozen times: so all lines are one header to it. */
void request_lines_write(struct transfer *transfer);
/* The webhook's own headers are secrets. */
void request_lines_wipe(struct transfer *transfer);
