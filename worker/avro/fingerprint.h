/* CRC-64-AVRO, the fingerprint by which a record's frame names its schema. Source: Apache Avro
 * 1.11 specification, "Schema Fingerprints". */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* `bytes` is a schema's Parsing Canonical Form. */
uint64_t fingerprint_of(const void *bytes, size_t len);
