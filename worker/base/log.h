/*
 * Logging: one line for each entry on stderr, `key=value` (logfmt) or JSON. Never a secret, never a
 * payload.
 *
 *     log_info("partition restored", "partition=%d records=%zu", partition, records);
 *
 * The message is a fixed, searchable text. Everything variable goes into the fields: `key=value`
 * pairs with single spaces between. A value with spaces or quotes is written with log_quote.
 * Control characters, and those that change the direction of text, are written as \uXXXX (utf8.h).
 *
 * In systemd's journal each line has its level's priority (log_output.h): `journalctl -p warning`.
 *
 * Thread-safe. A line that cannot be written at once is dropped and counted (log_output.h); a line
 * with the count precedes the next one that can be written.
 */
#pragma once

#include "base/memory.h"

#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

void log_configure(enum log_level level, enum log_format format);

void log_write(enum log_level level, const char *message, const char *fields, ...) _printf_(3, 4);

/* Quotes `value` for a field, `error=%s`, in a ring of thread-local buffers that is valid for
 * the current statement. Cuts at 512 bytes. */
const char *log_quote(const char *value);

/* The number of dropped lines since the start. */
uint64_t log_dropped(void);

#define log_debug(message, ...) log_write(LOG_LEVEL_DEBUG, message, __VA_ARGS__)
#define log_info(message, ...) log_write(LOG_LEVEL_INFO, message, __VA_ARGS__)
#define log_warn(message, ...) log_write(LOG_LEVEL_WARN, message, __VA_ARGS__)
#define log_error(message, ...) log_write(LOG_LEVEL_ERROR, message, __VA_ARGS__)
