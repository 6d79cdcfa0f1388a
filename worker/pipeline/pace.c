#include "pipeline/pace.h"

enum { WINDOW_US = 20 * 1000, AHEAD_MAX_US = 500 * 1000 };

static bool is_busy(struct pace *pace, const struct pace_sight *sight) {
	int64_t passed_us = sight->now_us - pace->asked_us;
	int64_t worked_us = (int64_t)(sight->worked_us - pace->worked_us);

	if (passed_us < WINDOW_US)
		return pace->is_busy;
	pace->is_busy = worked_us > passed_us * sight->threads / 3;
	pace->asked_us = sight->now_us;
	pace->worked_us = sight->worked_us;
	return pace->is_busy;
}

bool pace_is_ahead(struct pace *pace, const struct pace_sight *sight) {
	bool is_ahead = is_busy(pace, sight) && sight->has_broad_backlog &&
			sight->now_us - pace->took_us <= AHEAD_MAX_US;

	if (!is_ahead)
		pace->took_us = sight->now_us;
	return is_ahead;
}
