/* The codec for records of posthorn's topics, with the writer schemas of schema.dir and of the
 * schema registry, which is asked when a record comes. */
#pragma once

#include "avro/codec.h"
#include "base/config.h"
#include "registry/metrics.h"

/* Owned by the caller; NULL after printing why the schemas cannot be read. Decoding waits for the
 * registry for some seconds, once. */
struct codec *record_codec_new(const struct config *config);
/* The same, and decoding waits until `*stopping`. Both are borrowed. */
struct codec *record_codec_new_waiting(const struct config *config, const atomic_bool *stopping,
				       struct registry_metrics *metrics);
