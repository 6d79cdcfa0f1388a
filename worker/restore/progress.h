/* The progress of all restores, told in the log every ten seconds: an operator who waits for a long
 * one learns how much is left and how fast it goes. */
#pragma once

#include "restore/restore.h"

struct restore_progress {
	int64_t tell_at_ms; /* monotonic; not before it */
	int64_t left;       /* records, when it was told last; -1: not told of these restores */
};

struct restore_progress_report {
	int partitions;
	int64_t left;                   /* records of all partitions; offsets, so an upper bound */
	int64_t a_second;               /* records since the last report; 0: not known */
	int64_t seconds_left;           /* -1: not known */
	const struct restore *furthest; /* the one that has most before it */
};

void restore_progress_init(struct restore_progress *progress);
/* A report, if one is due, and there are restores. */
bool restore_progress_report(struct restore_progress *progress, const struct restore *restores,
			     int64_t now_ms, struct restore_progress_report *out) _must_check_;
void restore_progress_log(const struct restore_progress_report *report);
