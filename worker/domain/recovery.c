/* RecoverDeliveries: a webhook's ended deliveries are sent again, in as many turns as it takes. */
#include "domain/delivery_subject.h"
#include "domain/limits.h"
#include "domain/operations.h"
#include "domain/resending.h"

#include <inttypes.h>
#include <string.h>

/* One turn of it. */
struct recovery {
	struct command_run *run;
	const char *subject; /* NULL: any */
	struct arena *scratch;
	int32_t count; /* those that are due again, of all turns */
};

static bool takes(void *userdata, const struct delivery *delivery) {
	struct recovery *recovery = userdata;
	const char *subject;

	if (!recovery->subject)
		return true;
	arena_reset(recovery->scratch);
	subject = delivery_subject(recovery->scratch, delivery);
	return subject && strcmp(subject, recovery->subject) == 0;
}

/* How many deliveries a turn may revive; at least 1 is looked for, so that a tenant without ended
 * deliveries gets 0 and not a refusal. */
static size_t room(const struct command_run *run) {
	const struct handler_context *context = run->context;
	int64_t max = context->settings->tenant_max[TENANT_LIMIT_PENDING_DELIVERIES];

	return max == 0 ? RECOVER_MAX
			: (size_t)MIN(MAX(max - context->pending_deliveries, (int64_t)1),
				      (int64_t)RECOVER_MAX);
}

static struct delivery_walk walk_of(struct recovery *recovery, const struct command *command,
				    enum delivery_status status) {
	const struct receipt *former = recovery->run->former;
	int64_t until_ms = command->has_until ? command->until_ms : INT64_MAX;

	return (struct delivery_walk){
		.status = status,
		.since_ms = former ? MAX(command->since_ms, command->resume_ms) : command->since_ms,
		/* One that dies again while the command is at work is not revived again. */
		.until_ms = former ? MIN(until_ms, former->created_at_ms) : until_ms,
		.takes = takes,
		.userdata = recovery,
		.bounds = { room(recovery->run), RECOVER_BYTES_MAX },
		.walked = { RECOVER_WALKED_MAX, RECOVER_WALKED_BYTES_MAX },
	};
}

static void answer(struct recovery *recovery, int32_t status) {
	command_run_answer(
	    recovery->run, status,
	    &(struct event_data){ .kind = EVENT_DATA_RECOVERED, .recovered = recovery->count });
}

/* The worker may not write the command's record again. Source: resume.h. */
static void answer_no_right(struct command_run *run) {
	struct arena *arena = run->effects->arena;
	struct problem *problem =
	    problem_new(arena, 503,
			"The command takes several turns, for which the worker needs the right to "
			"write to its topic.");

	problem->type = "server";
	problem_add(arena, problem, "Write", "rights", run->context->source->topic,
		    "Is a topic that the worker may not write to");
	command_run_answer_problem(run, problem);
}

/* Whether there are more than a turn bears, and the command cannot go on in a later one. If so,
 * answers 503. */
static bool is_cut(struct command_run *run, int64_t next_ms) {
	if (!next_ms)
		return false;
	if (operation_meets_older(run))
		return true;
	if (!run->context->may_resume)
		answer_no_right(run);
	return !run->context->may_resume;
}

static int recover(struct recovery *recovery, const struct delivery_walk *walk) {
	struct command_run *run = recovery->run;
	const struct registry *registry = run->context->registry;
	struct delivery *ended;
	int64_t next_ms;
	size_t count;
	int r = registry->delivery_ended(registry->userdata, run->effects->arena, walk, &ended,
					 &count, &next_ms);

	if (r < 0)
		return r;
	if (command_run_exceeds(run, TENANT_LIMIT_PENDING_DELIVERIES,
				run->context->pending_deliveries, (int64_t)count) ||
	    is_cut(run, next_ms))
		return 0;
	for (size_t i = 0; i < count; i++)
		resend_delivery(run->effects, &ended[i], run->context->now_ms);
	recovery->count += (int32_t)count;
	run->effects->resume_ms = next_ms;
	answer(recovery, next_ms ? COMMAND_UNDERWAY : 200);
	return 0;
}

static bool is_newer(const struct command *command) {
	return command->has_until || command->subject || command->status;
}

/* A disabled webhook is refused: its pending deliveries are cancelled, so reviving ended ones
 * would lose them. */
static int perform(struct recovery *recovery, const struct command *command) {
	struct command_run *run = recovery->run;
	enum delivery_status status;
	struct delivery_walk walk;
	struct webhook webhook;
	int r;

	validate_recovery(&run->validation, command, &status);
	r = operation_find_enabled(run, command, &webhook);
	if (r)
		return MIN(r, 0);
	/* Of one that is under way an older worker that came meanwhile can read all. */
	if (!run->former && is_newer(command) && operation_meets_older(run))
		return 0;
	walk = walk_of(recovery, command, status);
	walk.webhook_id = webhook.id;
	return recover(recovery, &walk);
}

/* What earlier turns did stays: their refusal says how much that was. */
static void tell_count(const struct recovery *recovery) {
	struct command_run *run = recovery->run;
	struct arena *arena = run->effects->arena;
	struct problem *told = arena_memdup(arena, run->data.problem, sizeof(*told));

	told->message = arena_printf(arena, "%s The first %" PRId32 " deliveries were made due.",
				     told->message, recovery->count);
	command_run_answer_problem(run, told);
}

int operation_recover_deliveries(struct command_run *run, const void *userdata) {
	_cleanup_(arena_freep) struct arena *scratch = arena_new();
	const struct command *command = userdata;
	struct recovery recovery = { .run = run,
				     .subject = command->subject,
				     .scratch = scratch,
				     .count = run->former ? run->former->data.recovered : 0 };
	int r = perform(&recovery, command);

	if (r == 0 && run->status >= 400 && recovery.count > 0)
		tell_count(&recovery);
	return r;
}
