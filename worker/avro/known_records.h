/* The records of schemas/, by their schemas. */
#pragma once

#include "avro/record.h"
#include "avro/writer_schema.h"

/* The record of ours that a schema is a version of, by its full name; or NULL. */
const struct record *known_record_of(const struct schema *schema);
