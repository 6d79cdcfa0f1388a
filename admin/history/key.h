/* The keys by which the indexes know texts: short, and spread evenly. */
#pragma once

#include "base/uuid.h"

#include <stdint.h>

/* A hash of both; 0 for a `text` of NULL. */
int64_t key_of_text(const char *tenant_id, const char *text);
/* Its first bytes, which are as good as a hash; 0 for NULL. */
int64_t key_of_uuid(const struct uuid *uuid);
