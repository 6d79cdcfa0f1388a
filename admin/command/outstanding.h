/* Commands whose outcome is awaited, by tenant and command id. A command that was sent twice has
 * two outcomes. */
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
/* Takes out one command. Returns whether it was awaited. */
bool outstanding_take(struct outstanding *outstanding, const char *tenant_id,
		      const char *command_id);
uint64_t outstanding_count(const struct outstanding *outstanding);
