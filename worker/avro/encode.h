/* Encodes a struct of the domain as a record of an edition of our own schema: the order of the
 * tables is the order of its fields, and a later edition's follow. */
#pragma once

#include "avro/record.h"
#include "base/buffer.h"

/* `edition` is at least edition_of the record. */
void encode_record(struct buffer *out, const struct record *record, const void *in, int edition);
