/* A header of a record. */
#pragma once

#include <stddef.h>

struct record_header {
	const char *name;
	const void *value; /* NULL: no value, which differs from an empty one */
	size_t len;        /* bytes */
};
