/* The metrics of the process, whatever it does: its spans, time, memory, log and version. */
#pragma once

#include "base/buffer.h"

void metrics_process_render(struct buffer *out, const char *version);
