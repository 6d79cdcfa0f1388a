#include "pipeline/pace.h"

#include "base/memory.h"

enum {
	WINDOW_US = 20 * 1000,
	PUT_OFF_MAX_US = 250 * 1000,
	AHEAD_MAX_US = 1000 * 1000,
	OF_LATE_US = 500 * 1000,
	AHEAD_LEAST = 1024, /* a tenth of a second of one thread's work */
};

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

/* How many attempts end in that time, as far as is known. */
static size_t ended_in(const struct pace *pace, int64_t us) {
	return pace->ended_us > 0 ? pace->ended * (size_t)us / (size_t)pace->ended_us : 0;
}

bool pace_puts_off(struct pace *pace, const struct pace_sight *sight) {
	bool has_enough = is_busy(pace, sight) && sight->waiting > ended_in(pace, pace->turn_us);

	return has_enough && pace->turned_us > 0 &&
	       sight->now_us - pace->turned_us < PUT_OFF_MAX_US;
}

bool pace_is_ahead(struct pace *pace, const struct pace_sight *sight) {
	size_t round = ended_in(pace, PUT_OFF_MAX_US + 2 * pace->turn_us);
	bool is_ahead = is_busy(pace, sight) && sight->waiting >= MAX(round, (size_t)AHEAD_LEAST) &&
			sight->now_us - pace->took_us <= AHEAD_MAX_US;

	if (!is_ahead)
		pace->took_us = sight->now_us;
	return is_ahead;
}

static void count_ended(struct pace *pace, int64_t passed_us, size_t outcomes) {
	pace->ended += outcomes;
	pace->ended_us += MIN(passed_us, (int64_t)OF_LATE_US);
	if (pace->ended_us > OF_LATE_US) {
		pace->ended /= 2;
		pace->ended_us /= 2;
	}
}

/* One with many commands may follow one with none: a short turn does not count at once. */
void pace_turned(struct pace *pace, int64_t begun_us, int64_t now_us, size_t outcomes) {
	if (pace->turned_us > 0)
		count_ended(pace, now_us - pace->turned_us, outcomes);
	pace->turn_us = MAX(now_us - begun_us, pace->turn_us * 3 / 4);
	pace->turned_us = now_us;
}

void pace_undone(struct pace *pace) {
	pace->turned_us = 0;
}
