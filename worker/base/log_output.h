/*
 * Descriptor 2 as the log's output. A write never waits for the reader: a reader that stalls loses
 * lines, and the program goes on.
 *
 * Other processes may share the descriptor (a terminal, a shell's pipe), so O_NONBLOCK is not set
 * on it. Pipes and terminals are opened a second time, sockets get MSG_DONTWAIT at each call, and
 * files do not block. A pipe that cannot be opened again is polled before each PIPE_BUF bytes.
 * Source: pipe(7), "PIPE_BUF" and "Open file description".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Call once, at the start. Without it every write is polled. */
void log_output_open(void);

/* Whether the descriptor leads to systemd's journal, which takes a line's priority from its
 * beginning. Source: systemd.exec(5), "$JOURNAL_STREAM"; sd-daemon(3). */
bool log_output_is_journal(void);

enum { LOG_LINE_MAX = 20 * 1024 };

/* Writes a line of at most LOG_LINE_MAX bytes, after the rest of one that was begun. Returns
 * whether the line was begun. One thread at a time. */
bool log_output_write(const char *line, size_t len);
