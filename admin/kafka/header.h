/* A header of a record. */
#pragma once

#include <stddef.h>

struct record_header {
	const char *name;
	const void *value; /* NULL: none, which is not the empty one */
	size_t len;        /* bytes */
};
