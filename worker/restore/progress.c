#include "restore/progress.h"

#include "base/log.h"

enum { INTERVAL_MS = 10 * 1000 };

void restore_progress_init(struct restore_progress *progress) {
	progress->left = -1;
}

static int64_t count_left(const struct restore *restore) {
	return restore->target - restore->next_offset;
}

/* The first report of a restore knows no rate. */
static int64_t rate_since(const struct restore_progress *progress, int64_t left, int64_t now_ms) {
	int64_t since_ms = now_ms - progress->tell_at_ms + INTERVAL_MS;

	return progress->left < 0 ? 0 : MAX(progress->left - left, (int64_t)0) * 1000 / since_ms;
}

bool restore_progress_report(struct restore_progress *progress, const struct restore *restores,
			     int64_t now_ms, struct restore_progress_report *out) {
	if (!restores || now_ms < progress->tell_at_ms)
		return false;
	*out = (struct restore_progress_report){ .furthest = restores };
	for (const struct restore *restore = restores; restore; restore = restore->next) {
		out->partitions++;
		out->left += MAX(count_left(restore), (int64_t)0);
		if (count_left(restore) > count_left(out->furthest))
			out->furthest = restore;
	}
	out->a_second = rate_since(progress, out->left, now_ms);
	out->seconds_left = out->a_second ? out->left / out->a_second : -1;
	progress->left = out->left;
	progress->tell_at_ms = now_ms + INTERVAL_MS;
	return count_left(out->furthest) >= 0;
}

void restore_progress_log(const struct restore_progress_report *report) {
	log_info("restoring",
		 "partitions=%d left=%lld a_second=%lld seconds_left=%lld furthest_partition=%d "
		 "offset=%lld target=%lld",
		 report->partitions, (long long)report->left, (long long)report->a_second,
		 (long long)report->seconds_left, report->furthest->partition,
		 (long long)report->furthest->next_offset, (long long)report->furthest->target);
}
