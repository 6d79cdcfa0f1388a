/* The metrics in Prometheus' text format, version 0.0.4:
 * https://prometheus.io/docs/instrumenting/exposition_formats/ */
#pragma once

#include "base/buffer.h"
#include "pipeline/pipeline.h"

void metrics_render(struct buffer *out, const struct pipeline *pipeline,
		    const struct engine *engine, const char *version);
