/*
 * Descriptor 2 as the log's output, which never waits for its reader: whoever stalls loses lines,
 * and the program goes on.
 *
 * The descriptor may be shared with other processes (a terminal, a shell's pipe), so O_NONBLOCK is
 * not set on it: pipes and terminals are opened once more, sockets are asked call by call, and a
 * file does not block. Where a pipe may not be opened again it is polled before each piece of
 * PIPE_BUF bytes. Source: pipe(7), "PIPE_BUF" and "Open file description".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Once, at the start; without it everything is polled. */
void log_output_open(void);

enum { LOG_LINE_MAX = 20 * 1024 };

/*
 * Writes a line of at most LOG_LINE_MAX bytes. One that was begun is brought to its end before the
 * next one. Returns whether it was begun. One thread at a time.
 */
bool log_output_write(const char *line, size_t len);
