/* A progress bar on stderr, drawn only on a terminal, and only for work that takes longer than half
 * a second. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool shown;
	bool drawn;    /* at least once */
	int64_t total; /* in the unit of `done`; 0: unknown, so that only the count and the rate are
			  drawn */
	int64_t started_ms, due_ms;
};

void progress_start(struct progress *progress, int64_t total);
/* Draws at most ten times a second. */
void progress_update(struct progress *progress, int64_t done, uint64_t records);
/* Draws the last state and ends the line, if anything was drawn. */
void progress_finish(struct progress *progress, int64_t done, uint64_t records);
