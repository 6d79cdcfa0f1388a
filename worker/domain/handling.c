#include "domain/handling.h"

#include "base/utf8.h"
#include "domain/id.h"
#include "domain/limits.h"

#include <inttypes.h>

/* An identifier as an event shows it: whole, unless it is so long that the event could not be
 * published. It is refused then, but START comes first. */
static const char *shown(const struct handling *handling, const char *identifier) {
	size_t len = identifier ? utf8_prefix_len(identifier, SHOWN_IDENTIFIER_MAX) : 0;

	return identifier && identifier[len]
		   ? arena_strndup(handling->effects->arena, identifier, len)
		   : identifier;
}

/* The next event of the command: its index, and so its id, follows from how many there are. */
static void add_event(struct handling *handling, const struct analytic_event *event) {
	struct effects *effects = handling->effects;
	struct analytic_event complete = *event;

	complete.id = id_of_analytic_event(handling->context->source,
					   (int32_t)(effects->event_count - handling->first_event));
	complete.timestamp_ms = handling->context->now_ms;
	complete.tenant_id = handling->envelope->tenant_id;
	complete.command_id = shown(handling, event->command_id);
	complete.request_id = shown(handling, handling->envelope->request_id);
	complete.client_id = shown(handling, handling->envelope->client_id);
	complete.traceparent = handling->envelope->traceparent;
	effects_event(effects, &complete);
}

static void add_own_event(struct handling *handling, enum analytic_step step) {
	add_event(handling, &(struct analytic_event){
				.subject = handling->subject,
				.step = step,
				.command_id = handling->envelope->command_id,
			    });
}

/* The outcome stands behind START and before the events of deliveries, which are known earlier: its
 * place is kept. */
static void start(struct handling *handling) {
	handling->first_event = handling->effects->event_count;
	add_own_event(handling, ANALYTIC_START);
	add_own_event(handling, ANALYTIC_FAIL);
}

static void finish(struct handling *handling, bool repeat) {
	struct analytic_event *events = handling->effects->events + handling->first_event;

	if (!handling->status)
		abort();
	events[0].repeat = repeat;
	events[1].repeat = repeat;
	events[1].step = handling->status < 400 ? ANALYTIC_SUCCESS : ANALYTIC_FAIL;
	events[1].status = handling->status;
	events[1].data = handling->data;
}

void handling_answer(struct handling *handling, int32_t status, const struct event_data *data) {
	handling->status = status;
	handling->data = *data;
}

void handling_answer_problem(struct handling *handling, const struct problem *problem) {
	handling_answer(handling, problem->status,
			&(struct event_data){ .kind = EVENT_DATA_PROBLEM, .problem = problem });
}

bool handling_refused(struct handling *handling) {
	if (handling->validation.problem)
		handling_answer_problem(handling, handling->validation.problem);
	return handling->validation.problem;
}

static const struct {
	int status;
	const char *message, *msg;
} limit_answers[TENANT_LIMIT_COUNT] = {
	[TENANT_LIMIT_WEBHOOKS] = { 409, "The tenant has as many webhooks as it may have.",
				    "Is how many webhooks a tenant may have" },
	[TENANT_LIMIT_SIGNING_KEYS] = { 409,
					"The tenant has as many signing keys in its JWKS as it may "
					"have: a replaced key leaves it in time.",
					"Is how many signing keys of a tenant may be in its JWKS" },
	[TENANT_LIMIT_PENDING_DELIVERIES] = { 429,
					      "The tenant has as many deliveries pending as it may "
					      "have.",
					      "Is how many deliveries of a tenant may be pending" },
};

bool handling_exceeds(struct handling *handling, enum tenant_limit limit, int64_t count,
		      int64_t more) {
	int64_t max = handling->context->settings->tenant_max[limit];
	struct arena *arena = handling->effects->arena;
	struct problem *problem;

	if (max == 0 || more == 0 || count + more <= max)
		return false;
	problem = problem_new(arena, limit_answers[limit].status, limit_answers[limit].message);
	problem->type = "resource";
	problem_add(arena, problem, tenant_limit_key(limit), "limits",
		    arena_printf(arena, "%" PRId64, max), limit_answers[limit].msg);
	handling_answer_problem(handling, problem);
	handling->effects->reached = limit;
	return true;
}

void handling_add_received(struct handling *handling, const struct delivery *delivery) {
	add_event(handling, &(struct analytic_event){
				.subject = ANALYTIC_WEBHOOK_EVENT,
				.step = ANALYTIC_RECEIVE,
				.data = { .kind = EVENT_DATA_DELIVERY,
					  .delivery = { .delivery_id = delivery->id,
							.webhook_id = delivery->webhook_id,
							.event_type = delivery->event_type,
							.duration_ms = -1,
							.next_attempt_at_ms =
							    delivery->next_attempt_at_ms } },
			    });
}

static void answer_conflict(struct handling *handling) {
	struct arena *arena = handling->effects->arena;
	struct problem *problem =
	    problem_new(arena, 409, "The commandId was used before with another command.");

	problem_add(arena, problem, "commandId", "body", handling->envelope->command_id,
		    "Must be new, or repeat the same command");
	handling_answer_problem(handling, problem);
}

/* Answers from the receipt where there is one. Returns 1 then, 0 without one, or a negative errno.
 */
static int answer_again(struct handling *handling, const struct receipt_rule *rule) {
	const struct handler_context *context = handling->context;
	struct receipt receipt;
	bool is_same;
	int r;

	r = context->registry->receipt_get(context->registry->userdata, handling->effects->arena,
					   handling->envelope->tenant_id,
					   handling->envelope->command_id, &receipt);
	if (r < 0)
		return r;
	if (r == REGISTRY_E_NOT_FOUND || receipt.expires_at_ms <= context->now_ms)
		return 0;
	is_same = memcmp(receipt.fingerprint, rule->fingerprint, sizeof(receipt.fingerprint)) == 0;
	if (is_same && rule->is_read)
		return 0;
	if (is_same)
		handling_answer(handling, receipt.status, &receipt.data);
	else
		answer_conflict(handling);
	finish(handling, is_same);
	return 1;
}

static void write_receipt(struct handling *handling, const struct receipt_rule *rule) {
	struct state_record record = {
		.kind = STATE_RECEIPT,
		.receipt = {
			.tenant_id = handling->envelope->tenant_id,
			.command_id = handling->envelope->command_id,
			.subject = handling->subject,
			.status = handling->status,
			.data = handling->data,
			.created_at_ms = handling->context->now_ms,
			.expires_at_ms = handling->context->now_ms + rule->retention_ms,
		},
	};

	memcpy(record.receipt.fingerprint, rule->fingerprint, sizeof(record.receipt.fingerprint));
	effects_put(handling->effects, &record);
}

int handling_run(struct handling *handling, const struct receipt_rule *rule, operation_fn operation,
		 const void *command) {
	bool keep_receipt = rule->is_kept && is_command_id(handling->envelope->command_id);
	int r;

	handling->validation.arena = handling->effects->arena;
	start(handling);
	if (keep_receipt) {
		r = answer_again(handling, rule);
		if (r)
			return r < 0 ? r : 0;
	}
	validate_envelope(&handling->validation, handling->envelope);
	r = operation(handling, command);
	if (r < 0)
		return r;
	finish(handling, false);
	if (keep_receipt && !rule->is_read)
		write_receipt(handling, rule);
	return 0;
}
