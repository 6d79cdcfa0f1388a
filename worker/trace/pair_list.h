/*
 * Lists of the environment: key=value,key=value, with keys and values in percent-encoding, and
 * blanks around them. Source: OpenTelemetry specification 1.50, "Resource SDK"; W3C Baggage,
 * section 3.3.1.
 */
#pragma once

#include "base/memory.h"

enum { PAIR_LIST_E_REFUSED = 1 };

/* Borrows key and value, UTF-8 both. Returns 0, or another value that ends the reading. */
typedef int (*pair_list_take)(void *userdata, const char *key, const char *value);

/* Hands each pair on; NULL is an empty list. Returns 0, the first other result of `take`, or
 * PAIR_LIST_E_REFUSED where there is a part without a key or without a "=", or one that is not
 * UTF-8. */
int pair_list_read(const char *list, pair_list_take take, void *userdata) _must_check_;
