/*
 * Editions of a schema. A record is written with the first edition that holds all of its values:
 * who knows that edition alone reads every record in which nothing newer is used (R13).
 */
#pragma once

#include "avro/record.h"

enum { EDITION_FIRST = 1, EDITION_NOW = 2 };

/* The first edition that holds the record's values. */
int edition_of(const struct record *record, const void *in);
/* Whether the field of `in` has its default: nothing, none, or null. */
bool edition_is_default(const struct field *field, const void *in);
