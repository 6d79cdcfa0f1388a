#include "terminal/progress.h"

#include "base/clock.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { BAR_WIDTH = 30, REDRAW_MS = 100, DELAY_MS = 500 };

void progress_start(struct progress *progress, int64_t total) {
	int64_t now_ms = clock_monotonic_ms();

	*progress = (struct progress){ .shown = isatty(STDERR_FILENO) == 1,
				       .total = total,
				       .started_ms = now_ms,
				       .due_ms = now_ms + DELAY_MS };
}

static void draw(struct progress *progress, int64_t now_ms, int64_t done, uint64_t records) {
	double seconds = (double)MAX(now_ms - progress->started_ms, (int64_t)1) / 1000;

	fputc('\r', stderr);
	if (progress->total > 0) {
		int filled = (int)(MIN(done, progress->total) * BAR_WIDTH / progress->total);

		fputc('[', stderr);
		for (int i = 0; i < BAR_WIDTH; i++)
			fputc(i < filled ? '#' : '.', stderr);
		fprintf(stderr, "] %3d %%  ",
			(int)(MIN(done, progress->total) * 100 / progress->total));
	}
	fprintf(stderr, "%" PRIu64 " records, %.0f/s \x1b[K", records, (double)records / seconds);
	fflush(stderr);
	progress->drawn = true;
	progress->due_ms = now_ms + REDRAW_MS;
}

void progress_update(struct progress *progress, int64_t done, uint64_t records) {
	int64_t now_ms;

	if (!progress->shown)
		return;
	now_ms = clock_monotonic_ms();
	if (now_ms >= progress->due_ms)
		draw(progress, now_ms, done, records);
}

void progress_finish(struct progress *progress, int64_t done, uint64_t records) {
	if (!progress->drawn)
		return;
	draw(progress, clock_monotonic_ms(), done, records);
	fputc('\n', stderr);
}
