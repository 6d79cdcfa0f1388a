/* The worker's metrics as text (base/exposition.h). */
#pragma once

#include "base/buffer.h"
#include "pipeline/pipeline.h"

void metrics_render(struct buffer *out, const struct pipeline *pipeline,
		    const struct engine *engine, const char *version);
