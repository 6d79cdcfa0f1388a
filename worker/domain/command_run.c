#include "domain/command_run.h"

#include "base/invariant.h"
#include "base/utf8.h"
#include "domain/delivery_subject.h"
#include "domain/id.h"
#include "domain/limits.h"

#include <inttypes.h>

/* An identifier as events show it: whole, or cut where it would make the event too large. Such a
 * command is refused, but its START is published first. */
static const char *shown(const struct command_run *run, const char *identifier) {
	size_t len = identifier ? utf8_prefix_len(identifier, SHOWN_IDENTIFIER_MAX) : 0;

	return identifier && identifier[len] ? arena_strndup(run->effects->arena, identifier, len)
					     : identifier;
}

/* Adds the command's next event. Its index among the command's events determines its id: the
 * outcome's is 1, also where START is of an earlier turn. */
static void add_event(struct command_run *run, const struct analytic_event *event) {
	struct effects *effects = run->effects;
	struct analytic_event complete = *event;

	complete.id = id_of_analytic_event(
	    run->context->source,
	    (int32_t)(effects->event_count - run->first_event + (run->former != NULL)));
	complete.timestamp_ms = run->context->now_ms;
	complete.tenant_id = run->envelope->tenant_id;
	complete.command_id = shown(run, run->envelope->command_id);
	complete.request_id = shown(run, run->envelope->request_id);
	complete.client_id = shown(run, run->envelope->client_id);
	complete.traceparent = run->envelope->traceparent;
	complete.tracestate = run->envelope->tracestate;
	effects_event(effects, &complete);
}

static void add_own_event(struct command_run *run, enum analytic_step step) {
	add_event(run, &(struct analytic_event){
			   .subject = run->subject,
			   .step = step,
		       });
}

/* Adds START and reserves the outcome's place behind it: the events of deliveries, which are
 * known before the outcome, stand after it. */
static void start_run(struct command_run *run) {
	run->first_event = run->effects->event_count;
	if (!run->former)
		add_own_event(run, ANALYTIC_START);
	run->outcome = run->effects->event_count;
	add_own_event(run, ANALYTIC_FAIL);
}

static bool is_underway(const struct command_run *run) {
	return run->effects->resume_ms != 0;
}

static void finish_run(struct command_run *run, bool repeat) {
	struct effects *effects = run->effects;
	struct analytic_event *outcome = effects->events + run->outcome;

	invariant(run->status, "a command that was run has a status");
	if (is_underway(run)) {
		effects->event_count--;
		memmove(outcome, outcome + 1,
			(effects->event_count - run->outcome) * sizeof(*outcome));
		return;
	}
	effects->events[run->first_event].repeat = repeat;
	outcome->repeat = repeat;
	outcome->step = run->status < 400 ? ANALYTIC_SUCCESS : ANALYTIC_FAIL;
	outcome->status = run->status;
	outcome->data = run->data;
}

void command_run_answer(struct command_run *run, int32_t status, const struct event_data *data) {
	run->status = status;
	run->data = *data;
}

void command_run_answer_problem(struct command_run *run, const struct problem *problem) {
	command_run_answer(run, problem->status,
			   &(struct event_data){ .kind = EVENT_DATA_PROBLEM, .problem = problem });
}

bool command_run_refused(struct command_run *run) {
	if (run->validation.problem)
		command_run_answer_problem(run, run->validation.problem);
	return run->validation.problem;
}

static const struct {
	int status;
	const char *message, *msg;
} limit_answers[TENANT_LIMIT_COUNT] = {
	[TENANT_LIMIT_WEBHOOKS] = { 409, "The tenant has the maximum number of webhooks.",
				    "Is the maximum number of a tenant's webhooks" },
	[TENANT_LIMIT_SIGNING_KEYS] = { 409,
					"The tenant has the maximum number of signing keys in its "
					"JWKS: a replaced key leaves it in time.",
					"Is the maximum number of signing keys in a tenant's "
					"JWKS" },
	[TENANT_LIMIT_PENDING_DELIVERIES] = { 429,
					      "The tenant has the maximum number of pending "
					      "deliveries.",
					      "Is the maximum number of a tenant's pending "
					      "deliveries" },
};

bool command_run_exceeds(struct command_run *run, enum tenant_limit limit, int64_t count,
			 int64_t more) {
	int64_t max = run->context->settings->tenant_max[limit];
	struct arena *arena = run->effects->arena;
	struct problem *problem;

	if (max == 0 || more == 0 || count + more <= max)
		return false;
	problem = problem_new(arena, limit_answers[limit].status, limit_answers[limit].message);
	problem->type = "resource";
	problem_add(arena, problem, tenant_limit_key(limit), "limits",
		    arena_printf(arena, "%" PRId64, max), limit_answers[limit].msg);
	command_run_answer_problem(run, problem);
	run->effects->reached = limit;
	return true;
}

void command_run_add_received(struct command_run *run, const struct delivery *delivery) {
	add_event(run,
		  &(struct analytic_event){
		      .subject = ANALYTIC_WEBHOOK_EVENT,
		      .step = ANALYTIC_RECEIVE,
		      .data = { .kind = EVENT_DATA_DELIVERY,
				.delivery = { .delivery_id = delivery->id,
					      .webhook_id = delivery->webhook_id,
					      .event_type = delivery->event_type,
					      .duration_ms = -1,
					      .next_attempt_at_ms = delivery->next_attempt_at_ms,
					      .has_event_id = true,
					      .event_id = delivery->event_id,
					      .subject = delivery_subject(run->effects->arena,
									  delivery) } },
		  });
}

static void answer_conflict(struct command_run *run) {
	struct arena *arena = run->effects->arena;
	struct problem *problem =
	    problem_new(arena, 409, "The commandId was used before with another command.");

	problem_add(arena, problem, "commandId", "body", run->envelope->command_id,
		    "Must be new, or repeat the same command");
	command_run_answer_problem(run, problem);
}

/* Returns 1 where the command has a receipt, else 0, or a negative errno. */
static int find_receipt(struct command_run *run, struct receipt *out) {
	const struct registry *registry = run->context->registry;
	int r = registry->receipt_get(registry->userdata, run->effects->arena,
				      run->envelope->tenant_id, run->envelope->command_id, out);

	if (r < 0)
		return r;
	return r != REGISTRY_E_NOT_FOUND && out->expires_at_ms > run->context->now_ms;
}

static bool is_same(const struct receipt *receipt, const struct receipt_rule *rule) {
	return memcmp(receipt->fingerprint, rule->fingerprint, sizeof(receipt->fingerprint)) == 0;
}

/* Whether the command is to go on where it left off. */
static bool goes_on(const struct receipt *receipt, const struct receipt_rule *rule) {
	return rule->resumes && is_same(receipt, rule) && receipt->status == COMMAND_UNDERWAY &&
	       receipt->subject == ANALYTIC_WEBHOOK_RECOVER;
}

/* Answers from the command's receipt. Returns whether that is the answer. */
static bool answer_again(struct command_run *run, const struct receipt *receipt,
			 const struct receipt_rule *rule) {
	bool same = is_same(receipt, rule);

	if (same && rule->leaves_none)
		return false;
	if (same)
		command_run_answer(run, receipt->status, &receipt->data);
	else
		answer_conflict(run);
	finish_run(run, same);
	return true;
}

static void write_receipt(struct command_run *run, const struct receipt_rule *rule) {
	int64_t now_ms = run->context->now_ms;
	int64_t retention_ms = is_underway(run)
				   ? MAX(rule->retention_ms, (int64_t)COMMAND_UNDERWAY_FOR_MS)
				   : rule->retention_ms;
	struct state_record record = {
		.kind = STATE_RECEIPT,
		.receipt = {
			.tenant_id = run->envelope->tenant_id,
			.command_id = run->envelope->command_id,
			.subject = run->subject,
			.status = run->status,
			.data = run->data,
			.created_at_ms = run->former ? run->former->created_at_ms : now_ms,
			.expires_at_ms = now_ms + retention_ms,
		},
	};

	memcpy(record.receipt.fingerprint, rule->fingerprint, sizeof(record.receipt.fingerprint));
	effects_put(run->effects, &record);
}

/* A 503 passes by itself, and the same command is then carried out: also one that was under way
 * begins again. */
static void keep_receipt_of(struct command_run *run, const struct receipt_rule *rule) {
	const struct state_key key = { .kind = STATE_RECEIPT,
				       .tenant_id = run->envelope->tenant_id,
				       .name = run->envelope->command_id };

	if (run->status != 503)
		write_receipt(run, rule);
	else if (run->former)
		effects_delete(run->effects, &key);
}

int command_run_perform(struct command_run *run, const struct receipt_rule *rule,
			operation_fn operation, const void *command) {
	bool keep_receipt = rule->is_kept && is_command_id(run->envelope->command_id);
	struct receipt receipt;
	int r = keep_receipt ? find_receipt(run, &receipt) : 0;

	if (r < 0)
		return r;
	if (r == 1 && goes_on(&receipt, rule))
		run->former = &receipt;
	run->validation = validation_begin(run->effects->arena, run->envelope->faults);
	start_run(run);
	if (r == 1 && !run->former && answer_again(run, &receipt, rule))
		return 0;
	validate_envelope(&run->validation, run->envelope);
	r = operation(run, command);
	if (r < 0)
		return r;
	finish_run(run, false);
	if (keep_receipt && !rule->leaves_none)
		keep_receipt_of(run, rule);
	return 0;
}
