/* What handlers ask of the worker's master keys (domain/handler_context.h): signing keys, sealed
 * header values, secrets. */
#pragma once

#include "domain/handler_context.h"
#include "signature/master_keys.h"

/* Borrows `keys`. New keys and seals are of the first one. */
struct handler_keys handler_keys_new(const struct master_keys *keys);
