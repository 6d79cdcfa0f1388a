/* Whole answers on stdout and stderr: a buffer that overflowed is never one. */
#pragma once

#include "base/buffer.h"
#include "terminal/status.h"

#include <stdio.h>

/* Where the buffer overflowed: says so on stderr, with `command` and the limit in bytes, and
 * returns ADMIN_REFUSED. */
enum admin_status terminal_check_buffer(const char *command,
					const struct buffer *buffer) _must_check_;

/*
 * The same check, then writes the buffer's content to `stream`; a write that fails is said and
 * ADMIN_REFUSED too.
 */
enum admin_status terminal_print_buffer(FILE *stream, const char *command,
					const struct buffer *buffer) _must_check_;
