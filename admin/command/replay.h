/* `dead-letters replay`. */
#pragma once

#include "command/command.h"

enum admin_status replay(const struct invocation *invocation);
