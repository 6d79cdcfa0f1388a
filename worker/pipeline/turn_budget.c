#include "pipeline/turn_budget.h"

#include "base/memory.h"

enum { UNDONE_DIVISOR = 8, CAREFUL_DIVISOR = 8 };

struct turn_budget turn_budget_new(size_t commands_max, int64_t time_ms) {
	return (struct turn_budget){ .commands_max = commands_max,
				     .commands = 1,
				     .time_least_ms = time_ms,
				     .time_ms = time_ms,
				     .bytes = TURN_WRITTEN_MAX };
}

bool turn_budget_allows(const struct turn_budget *budget, const struct turn_spent *spent) {
	if (spent->commands == 0)
		return true;
	return spent->commands < budget->commands && spent->written < budget->bytes &&
	       spent->ms < budget->time_ms;
}

bool turn_budget_allows_bytes(const struct turn_budget *budget, const struct turn_spent *spent,
			      size_t bytes) {
	return spent->commands == 0 || spent->written + bytes <= budget->bytes;
}

bool turn_budget_allows_outcome(const struct turn_budget *budget, const struct turn_spent *spent) {
	return spent->written == 0 ||
	       (spent->written < budget->bytes / 2 && spent->ms < budget->time_ms / 2);
}

bool turn_budget_allows_report(const struct turn_budget *budget, const struct turn_spent *spent) {
	return spent->written < budget->bytes;
}

/* A turn that was not nearly full tells of no larger one, unless it took too long. */
static void fit_bytes(struct turn_budget *budget, const struct turn_passed *passed) {
	int64_t aim_ms = passed->is_throttled ? TURN_THROTTLED_MS : TURN_SLOW_MS;
	int64_t ms = MAX(passed->commit_ms + passed->held_up_ms, INT64_C(1));
	size_t least = passed->is_throttled ? 1 : TURN_WRITTEN_LEAST;
	size_t fits = MAX(passed->bytes * (size_t)aim_ms / (size_t)ms, least);
	size_t step = budget->careful > 0 ? budget->bytes / CAREFUL_DIVISOR + 1 : budget->bytes;
	size_t more = MIN(budget->bytes + step, (size_t)TURN_WRITTEN_MAX);

	if (ms > aim_ms)
		budget->bytes = MIN(budget->bytes, fits);
	else if (passed->bytes >= budget->bytes / 2 && fits > budget->bytes)
		budget->bytes = MIN(more, fits);
	if (passed->is_throttled)
		budget->careful = TURN_CAREFUL;
	else if (budget->careful > 0)
		budget->careful--;
}

void turn_budget_committed(struct turn_budget *budget, const struct turn_passed *passed) {
	budget->commands = MIN(budget->commands_max, MAX(budget->commands, 2 * passed->commands));
	budget->time_ms =
	    MAX(budget->time_least_ms, MIN(passed->commit_ms, (int64_t)TURN_TIME_MAX_MS));
	fit_bytes(budget, passed);
}

void turn_budget_undone(struct turn_budget *budget, const struct turn_passed *passed) {
	int64_t ms = passed->commit_ms + passed->held_up_ms;

	budget->commands = MAX(budget->commands / UNDONE_DIVISOR, (size_t)1);
	budget->time_ms = budget->time_least_ms;
	if (ms > (passed->is_throttled ? TURN_THROTTLED_MS : TURN_SLOW_MS))
		fit_bytes(budget, passed);
}
