/* The secrets of webhooks on the command line: values of headers come from files, so that they
 * stand in no list of processes; the HMAC secret is shown to who asks. */
#pragma once

#include "base/arena.h"
#include "command/command.h"
#include "domain/command.h"

/* Adds each --header to the command: NAME:FILE, or NAME alone for the value that the webhook has.
 * The texts live in the arena. Returns ADMIN_OK, or ADMIN_USAGE after printing the fault. */
enum admin_status secret_read_headers(const struct invocation *invocation, struct arena *arena,
				      struct command *command) _must_check_;

enum admin_status secret_show(const struct invocation *invocation);
enum admin_status secret_rotate(const struct invocation *invocation);
