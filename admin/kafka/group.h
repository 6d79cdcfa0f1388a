/* The workers' consumer group. */
#pragma once

#include "base/config.h"
#include "terminal/status.h"

/*
 * ADMIN_OK where the group has no member: no worker runs. ADMIN_REFUSED, after saying so, where it
 * has some. Another status, after saying why, where the brokers do not tell: without the right to
 * describe a group they leave it out of their lists.
 */
enum admin_status group_check_is_empty(const struct config *config,
				       int64_t timeout_ms) _must_check_;
