/*
 * A schema's Parsing Canonical Form: the schema without the parts that do not change how bytes
 * are read. Source: Apache Avro 1.11 specification, "Parsing Canonical Form for Schemas".
 *
 * Libraries differ in what they leave of a primitive type with a logical type. A record carries the
 * fingerprint of its writer's form, so each form of a schema names the same schema.
 */
#pragma once

#include "base/buffer.h"
#include "base/config.h"

/* REFUSED: not JSON, or not a schema's. NAME_TWICE: the schema defines a name twice. */
enum { CANONICAL_E_REFUSED = 1, CANONICAL_E_NAME_TWICE = 2 };

/* Appends the canonical form of the schema in `json`. Returns 0 or one of these errors. */
int canonical_append(struct buffer *out, const char *json, size_t len,
		     enum canonical_form form) _must_check_;
