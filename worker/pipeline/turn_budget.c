#include "pipeline/turn_budget.h"

#include "base/memory.h"

enum { UNDONE_DIVISOR = 8 };

struct turn_budget turn_budget_new(size_t commands_max, int64_t time_ms) {
	return (struct turn_budget){ .commands_max = commands_max,
				     .commands = 1,
				     .time_least_ms = time_ms,
				     .time_ms = time_ms };
}

bool turn_budget_allows(const struct turn_budget *budget, const struct turn_spent *spent) {
	if (spent->commands == 0)
		return true;
	return spent->commands < budget->commands && spent->written < TURN_WRITTEN_MAX &&
	       spent->ms < budget->time_ms;
}

bool turn_budget_allows_bytes(const struct turn_spent *spent, size_t bytes) {
	return spent->commands == 0 || spent->written + bytes <= TURN_WRITTEN_MAX;
}

bool turn_budget_allows_outcome(const struct turn_budget *budget, const struct turn_spent *spent) {
	return spent->written == 0 ||
	       (spent->written < TURN_WRITTEN_MAX / 2 && spent->ms < budget->time_ms / 2);
}

void turn_budget_committed(struct turn_budget *budget, size_t commands, int64_t commit_ms) {
	budget->commands = MIN(budget->commands_max, MAX(budget->commands, 2 * commands));
	budget->time_ms = MAX(budget->time_least_ms, MIN(commit_ms, (int64_t)TURN_TIME_MAX_MS));
}

void turn_budget_undone(struct turn_budget *budget) {
	budget->commands = MAX(budget->commands / UNDONE_DIVISOR, (size_t)1);
	budget->time_ms = budget->time_least_ms;
}
