/* Encodes a struct of the domain as a record of our own schema: the order of the tables is the
 * order of its fields. */
#pragma once

#include "avro/record.h"
#include "base/buffer.h"

void encode_record(struct buffer *out, const struct record *record, const void *in);
