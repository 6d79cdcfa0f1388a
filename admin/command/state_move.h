/* `state export` and `state import`: state as a file, out of one changelog and into another. */
#pragma once

#include "command/command.h"

enum admin_status state_export(const struct invocation *invocation);
enum admin_status state_import(const struct invocation *invocation);
