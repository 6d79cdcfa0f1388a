/*
 * A schema's Parsing Canonical Form: what is left of it when everything is removed that does not
 * change how its bytes are read. Source: Apache Avro 1.11 specification, "Parsing Canonical Form
 * for Schemas".
 */
#pragma once

#include "base/buffer.h"

/* It is not JSON, or not that of a schema; or one name is defined twice in it. */
enum { CANONICAL_E_REFUSED = 1, CANONICAL_E_NAME_TWICE = 2 };

/* Appends the canonical form of the schema in `json`. Returns 0 or one of these. */
int canonical_append(struct buffer *out, const char *json, size_t len) _must_check_;
