/* How far each partition is folded, and since when nothing of it is missing. */
#include "base/log.h"
#include "history/history.h"
#include "history/internal.h"

#include <errno.h>

struct history_source *history_source_of(struct history *history, int32_t partition) {
	if (partition >= history->source_count) {
		history->sources = x_realloc(history->sources,
					     (size_t)(partition + 1) * sizeof(*history->sources));
		for (int32_t i = history->source_count; i <= partition; i++)
			history->sources[i] = (struct history_source){ 0 };
		history->source_count = partition + 1;
	}
	return &history->sources[partition];
}

int64_t history_resume(struct history *history, int32_t partition, int64_t begin, int64_t end,
		       int64_t now_ms) {
	_cleanup_(statement_resetp) sqlite3_stmt *get =
	    history_statement(history, WRITE_SOURCE_GET);
	int64_t next = 0, from;
	int r;

	bind_int(get, 1, partition);
	r = history_step(history, get);
	if (r < 0)
		return r;
	if (r == 1)
		next = sqlite3_column_int64(get, 0);
	if (next > end) {
		log_warn("the history is made anew", "partition=%d next=%lld end=%lld reason=%s",
			 partition, (long long)next, (long long)end,
			 log_quote("the topic ends before what was read of it"));
		history->is_damaged = true;
		return -EIO;
	}
	from = MAX(next, begin);
	*history_source_of(history, partition) =
	    (struct history_source){ .next = from, .has_gap = from != next, .noticed_ms = now_ms };
	if (from != next)
		log_info("the history does not go on where it ended",
			 "partition=%d next=%lld begin=%lld end=%lld", partition, (long long)next,
			 (long long)begin, (long long)end);
	return from;
}

int history_settle(struct history *history) {
	for (int32_t i = 0; i < history->source_count; i++) {
		struct history_source *source = &history->sources[i];

		if (!source->has_gap)
			continue;
		source->since_ms = source->noticed_ms;
		source->has_gap = false;
		source->is_changed = true;
	}
	return history_begin(history);
}

static int write_source(struct history *history, int32_t partition, struct history_source *source) {
	sqlite3_stmt *statement = history_statement(history, WRITE_SOURCE_PUT);

	bind_int(statement, 1, partition);
	bind_int(statement, 2, source->next);
	bind_int(statement, 3, source->since_ms);
	source->is_changed = false;
	source->since_ms = 0;
	return history_run(history, WRITE_SOURCE_PUT);
}

int history_write_sources(struct history *history) {
	int r = 0;

	for (int32_t i = 0; !r && i < history->source_count; i++)
		if (history->sources[i].is_changed)
			r = write_source(history, i, &history->sources[i]);
	if (r || !history->passed_ms)
		return r;
	bind_int(history_statement(history, WRITE_PRUNED), 1, history->passed_ms);
	history->passed_ms = 0;
	return history_run(history, WRITE_PRUNED);
}
