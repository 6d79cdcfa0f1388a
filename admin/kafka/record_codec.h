/* The codec for records of posthorn's topics, with the writer schemas of schema.dir. */
#pragma once

#include "avro/codec.h"
#include "base/config.h"

/* Owned by the caller; NULL after printing why the schemas cannot be read. */
struct codec *record_codec_new(const struct config *config);
