/* The cluster's ACLs: creating those of acl_rules.h, and judging which are there. */
#pragma once

#include "kafka/acl_rules.h"
#include "terminal/status.h"

/* Creates these ACLs and waits until the brokers know them. `states` [wanted->count] is written as
 * by acls_inspect. */
enum admin_status acls_create(const struct config *config, int64_t timeout_ms,
			      const struct acl_list *wanted, enum acl_state *states) _must_check_;
/* Judges each of these ACLs by those that the brokers have. */
enum admin_status acls_inspect(const struct config *config, int64_t timeout_ms,
			       const struct acl_list *wanted, enum acl_state *states) _must_check_;
