/*
 * How much a turn takes on before it is committed: whatever a tenant's commands come to, a turn's
 * memory and its time have bounds that do not grow with what the tenant has.
 *
 * Between two commands a turn ends when one of its bounds is reached; what is left waits where it
 * is. One command is always handled, and its own worst case is bounded by domain/limits.h.
 *
 * The number of commands begins with one and doubles with each turn that was full and committed: a
 * process that dies in a turn, and is started into the same commands again, commits those before
 * the one that it dies of. A turn that was undone divides it by eight, so that what cannot be
 * committed is soon alone.
 *
 * Its time is batch.max.wait, or as long as the commit before it took: where brokers are slow, half
 * of the worker's time is still for commands, and not most of it for waiting.
 *
 * Its bytes are as many as the brokers lately took in good time: in a second where they throttle by
 * a quota, and in a third of a record's time otherwise. A transaction has 15 s, a record 12 s: what
 * the brokers do not take in that time is aborted, and would be again. A single command that comes
 * to more is alone, and has all of that time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct turn_budget {
	size_t commands_max;   /* batch.max.records */
	size_t commands;       /* of the next turn, at most */
	int64_t time_least_ms; /* batch.max.wait */
	int64_t time_ms;       /* of handling, in the next turn */
	size_t bytes;          /* of records, in the next turn; at most TURN_WRITTEN_MAX */
	int careful;           /* turns in which they grow slowly: the brokers throttled of late */
};

enum {
	TURN_WRITTEN_MAX = 16 * 1024 *
	    1024, /* bytes of records: they are in memory until the brokers have them */
	TURN_WRITTEN_LEAST = 256 * 1024, /* where the brokers are slow and do not throttle */
	TURN_THROTTLED_MS = 1000,
	TURN_CAREFUL = 16, /* a quota lets through a burst of ten seconds' bytes at once */
	TURN_SLOW_MS = 4000,
	TURN_KEPT_MAX = 8 * 1024 *
	    1024,                /* bytes of deliveries that are kept to be sent after the commit */
	TURN_TIME_MAX_MS = 1000, /* unless batch.max.wait is more */
};

/* What a turn has taken on so far. */
struct turn_spent {
	size_t commands;
	size_t written; /* bytes */
	int64_t ms;     /* since it began */
};

/* What the brokers took of a turn. */
struct turn_passed {
	size_t commands;
	size_t bytes;
	int64_t commit_ms;
	int64_t held_up_ms; /* by the brokers' quota, after it */
	bool is_throttled;
};

struct turn_budget turn_budget_new(size_t commands_max, int64_t time_ms);

/* Whether another command may be begun. */
bool turn_budget_allows(const struct turn_budget *budget, const struct turn_spent *spent);
/*
 * Whether a command that comes to so many bytes may be written. One that is more than the bound by
 * itself has a turn of its own, so that what others wrote before it is committed first.
 */
bool turn_budget_allows_bytes(const struct turn_budget *budget, const struct turn_spent *spent,
			      size_t bytes);
/* Whether another outcome of an attempt may be: they come first, and leave half of all to the
 * commands. */
bool turn_budget_allows_outcome(const struct turn_budget *budget, const struct turn_spent *spent);
/* Whether another report of an endpoint may be: there are few, and only its notices have bytes. */
bool turn_budget_allows_report(const struct turn_budget *budget, const struct turn_spent *spent);

void turn_budget_committed(struct turn_budget *budget, const struct turn_passed *passed);
/* `passed`: what the brokers had taken of it, and for how long they were tried. */
void turn_budget_undone(struct turn_budget *budget, const struct turn_passed *passed);
