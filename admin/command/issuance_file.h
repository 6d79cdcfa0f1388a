/* credential issue --file and event publish --file: many commands from one source, with progress
 * and a summary. */
#pragma once

#include "command/command.h"
#include "rdkafka/topic_names.h"

/* TOPIC_ISSUANCE or TOPIC_EVENTS. */
enum admin_status issuance_file_send(const struct invocation *invocation,
				     enum topic topic) _must_check_;

/* Refuses flags of a single command together with --file. */
enum admin_status issuance_file_check_flags(const struct invocation *invocation) _must_check_;
