/* credential issue --file: many issuances from one source, with progress and a summary. */
#pragma once

#include "command/command.h"

enum admin_status issuance_file_send(const struct invocation *invocation) _must_check_;
