/* uthash, with memory.h's policy for allocations. */
#pragma once

#include "base/memory.h"

#define uthash_malloc(size) x_malloc(size)
#include <uthash.h>
