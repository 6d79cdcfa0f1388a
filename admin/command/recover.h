/* webhook recover. */
#pragma once

#include "command/command.h"

extern const struct flag recover_flags[];

enum admin_status recover_deliveries(const struct invocation *invocation);
