/* posthorn-admin(1), from the tables of the command line. */
#pragma once

#include "base/buffer.h"

void manual_append(struct buffer *out, const char *version);
