/* Complete answers on stdout and stderr: a buffer that overflowed is never printed. */
#pragma once

#include "base/buffer.h"
#include "terminal/status.h"

#include <stdio.h>

/* Checks the buffer. If it overflowed, prints `command` and the limit in bytes on stderr, and
 * returns ADMIN_REFUSED. */
enum admin_status terminal_check_buffer(const char *command,
					const struct buffer *buffer) _must_check_;

/* Checks the buffer, then writes its content to `stream`. A failed write is printed on stderr, and
 * returns ADMIN_REFUSED too. */
enum admin_status terminal_print_buffer(FILE *stream, const char *command,
					const struct buffer *buffer) _must_check_;
