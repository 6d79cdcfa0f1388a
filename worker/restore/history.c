#include "restore/history.h"

#include "base/memory.h"

void history_init(struct history *history) {
	*history = (struct history){ .position_offset = -1,
				     .position = { .admin_offset = -1, .issuance_offset = -1 } };
}

void history_continue(struct history *history, const struct position *position, int64_t offset) {
	history_init(history);
	history->has_position = true;
	history->position = *position;
	history->position.member_id = NULL;
	history->position_offset = offset;
}

void history_record(struct history *history, int64_t offset) {
	if (history->run_records == 0 ||
	    history->run_first_offset + history->run_records != offset) {
		history->run_first_offset = offset;
		history->run_records = 0;
	}
	history->run_records++;
}

static const char *find_fault(const struct history *history, const struct position *next,
			      int64_t offset) {
	const struct position *last = &history->position;
	bool touching =
	    history->run_records > 0 && history->run_first_offset + history->run_records == offset;
	bool whole = touching && history->has_position &&
		     history->run_first_offset == history->position_offset + 2;

	if (touching && history->run_records > next->record_count)
		return "more records than its position counts: two writers have interleaved";
	if (whole && history->run_records != next->record_count)
		return "fewer records than its position counts: a transaction is torn";
	if (!history->has_position)
		return NULL;
	if (uuid_compare(&last->store_id, &next->store_id) != 0)
		return "another store id than before";
	if (next->sequence <= last->sequence)
		return "its sequence does not rise";
	return NULL;
}

const char *history_position(struct history *history, const struct position *position,
			     int64_t offset) {
	const char *fault = find_fault(history, position, offset);

	history_continue(history, position, offset);
	return fault;
}

bool history_same_position(const struct position *a, const struct position *b) {
	return a->sequence == b->sequence && uuid_compare(&a->store_id, &b->store_id) == 0;
}
