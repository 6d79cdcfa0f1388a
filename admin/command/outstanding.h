/* Commands whose outcome is awaited, by tenant and command id. One that was sent twice is answered
 * twice. */
#pragma once

#include "base/memory.h"

#include <stdbool.h>
#include <stdint.h>

struct outstanding;

struct outstanding *outstanding_new(void);
void outstanding_free(struct outstanding *outstanding);
DEFINE_CLEANUP(struct outstanding, outstanding_free)

void outstanding_add(struct outstanding *outstanding, const char *tenant_id,
		     const char *command_id);
/* Whether it was awaited; then it is not any longer. */
bool outstanding_take(struct outstanding *outstanding, const char *tenant_id,
		      const char *command_id);
uint64_t outstanding_count(const struct outstanding *outstanding);
