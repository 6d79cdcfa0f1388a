/* Flags of several subcommands, read and checked alike. */
#pragma once

#include "command/command.h"

/* Reads --limit, which must be 1 to 1000000, or uses `fallback`. Returns ADMIN_OK, or ADMIN_USAGE
 * after printing the fault. */
enum admin_status flags_read_limit(const struct invocation *invocation, size_t fallback,
				   size_t *limit) _must_check_;

/* Reads the flag `name` as flags_read_since reads --since. */
enum admin_status flags_read_time(const struct invocation *invocation, const char *name,
				  bool *given, int64_t *out_ms) _must_check_;
/* Reads --since as wall-clock milliseconds: a time such as 2026-01-31T12:00:00.000Z, or a duration
 * back from now such as 2h. Without it, `*given` is false and `*since_ms` 0. */
enum admin_status flags_read_since(const struct invocation *invocation, bool *given,
				   int64_t *since_ms) _must_check_;

/* Checks that the tenant and each of `required` were given, as the subcommand `name` needs them
 * without --file. Returns ADMIN_OK, or ADMIN_USAGE after printing the fault. */
enum admin_status flags_check_single(const struct invocation *invocation, const char *name,
				     const char *const *required, size_t count) _must_check_;
