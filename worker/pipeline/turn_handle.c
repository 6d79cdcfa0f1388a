/*
 * Handling: what a turn took becomes effects, which are written one after the other. Outcomes come
 * first, for they free memory; then what is bounded in number; then commands, while there is room.
 */
#include "base/clock.h"
#include "pipeline/turn.h"

DEFINE_CLEANUP(rd_kafka_message_t, rd_kafka_message_destroy)

static void derive_key(void *userdata, struct arena *arena, const char *tenant_id, int32_t epoch,
		       struct signing_key *out) {
	const struct pipeline *p = userdata;
	const struct master_key *master = master_keys_first(p->master_keys);
	_cleanup_(signer_unrefp) struct signer *signer = signer_derive(master, tenant_id, epoch);

	out->kid = arena_strdup(arena, signer_kid(signer));
	memcpy(out->x, signer_public_key(signer), sizeof(out->x));
	out->master_key_id = master_key_id(master);
}

static int handle_record(struct pipeline *p, const rd_kafka_message_t *message,
			 const struct intake_record *record, struct effects *effects) {
	const struct command_envelope *envelope =
	    record->input == INPUT_ADMIN ? &record->command.envelope : &record->issuance.envelope;
	struct command_source source = { p->cluster_id, rd_kafka_topic_name(message->rkt),
					 message->partition, message->offset };
	struct handler_context context = {
		.settings = &p->handler_settings,
		.registry = replica_registry(p->replica),
		.derive_key = derive_key,
		.derive_key_userdata = p,
		.source = &source,
		.pending_deliveries = tenant_pending_get(p->tenant_pending, envelope->tenant_id),
		.now_ms = clock_wall_ms(),
	};

	return record->input == INPUT_ADMIN ? handle_command(&context, &record->command, effects)
					    : handle_issuance(&context, &record->issuance, effects);
}

/* The reason why the record is a dead letter, or NULL: then it is decoded. */
static const char *refuse(struct pipeline *p, const struct partition *partition,
			  const rd_kafka_message_t *message, struct intake_record *out) {
	const char *reason;

	if (partition->poison[intake_input(&p->intake, message)] == message->offset)
		return "what follows from it does not fit into a record";
	return intake_decode(&p->intake, p->scratch, message, out, &reason) ? reason : NULL;
}

static struct turn_spent spent(const struct pipeline *p, const struct turn *turn) {
	return (struct turn_spent){ turn->commands, transaction_bytes(p->transaction),
				    clock_monotonic_ms() - turn->begun_ms };
}

/* The command belongs to this turn: its offset is committed with it. */
static void take_on(struct pipeline *p, struct turn *turn, const rd_kafka_message_t *message) {
	struct partition *partition = &p->partitions[message->partition];
	enum input input = intake_input(&p->intake, message);

	partition->turn_next[input] = message->offset + 1;
	partition->turn_touched = true;
	turn->commands++;
	turn->last.partition = partition;
	turn->last.input = input;
	turn->last.offset = message->offset;
}

static int set_aside(struct pipeline *p, struct turn *turn, const rd_kafka_message_t *message,
		     const char *reason) {
	bool is_admin = intake_input(&p->intake, message) == INPUT_ADMIN;
	int r;

	take_on(p, turn, message);
	turn->command_counts[is_admin ? METRIC_INPUT_ADMIN : METRIC_INPUT_ISSUANCE]
			    [METRIC_COMMAND_DEAD_LETTER]++;
	turn->letters++;
	r = dead_letter_write(p->transaction, message, reason, &p->letter_limit);
	arena_reset(p->scratch);
	return r;
}

/* Takes the message. Where what it comes to has no room, nothing of it happened: it is the next
 * turn's first. */
static int handle_message(struct pipeline *p, struct turn *turn, rd_kafka_message_t *message,
			  bool *is_full) {
	_cleanup_(rd_kafka_message_destroyp) rd_kafka_message_t *owned = message;
	struct partition *partition = &p->partitions[message->partition];
	struct turn_spent now = spent(p, turn);
	struct intake_record record;
	struct effects effects;
	const char *reason = refuse(p, partition, message, &record);
	int r;

	if (reason)
		return set_aside(p, turn, message, reason);
	effects_init(&effects, p->scratch);
	r = handle_record(p, message, &record, &effects);
	if (r < 0)
		return r;
	if (!turn_budget_allows_bytes(&now, effects_body_bytes(&effects))) {
		arena_reset(p->scratch);
		inputs_put_back(p->inputs, TAKE(owned));
		*is_full = true;
		return 0;
	}
	take_on(p, turn, message);
	return turn_write_effects(p, turn, partition, &effects);
}

/* Whether another command may be begun. */
static bool has_room(const struct pipeline *p, const struct turn *turn) {
	struct turn_spent now = spent(p, turn);

	if (turn->letters > 0 && letter_limit_is_low(&p->letter_limit))
		return false;
	return turn_budget_allows(&p->budget, &now);
}

static int handle_commands(struct pipeline *p, struct turn *turn, struct work *work) {
	rd_kafka_message_t *message = TAKE(work->command);
	bool is_full = false;
	int r = 0;

	while (message) {
		r = handle_message(p, turn, message, &is_full);
		message = r == 0 && !is_full && has_room(p, turn) ? turn_next_command(p) : NULL;
	}
	return r;
}

static int handle_one_outcome(struct pipeline *p, struct turn *turn, const struct job *job) {
	struct effects effects;

	effects_init(&effects, p->scratch);
	handle_outcome(&p->outcome_settings, &job->delivery, &job->result, &effects);
	return turn_write_effects(p, turn, &p->partitions[job->partition], &effects);
}

/* Those for which there is no room wait for the next turn: after a failure they may be with bodies
 * of 256 KiB. */
static int handle_outcomes(struct pipeline *p, struct turn *turn, struct work *work) {
	struct job **next = &work->outcomes;
	int r = 0;

	while (*next && r == 0) {
		struct turn_spent now = spent(p, turn);

		if (!turn_budget_allows_outcome(&p->budget, &now))
			break;
		r = handle_one_outcome(p, turn, *next);
		next = &(*next)->next;
	}
	work->more_outcomes = *next;
	*next = NULL;
	return r;
}

static int handle_cancellation(struct pipeline *p, struct turn *turn,
			       const struct dispatch_cancellation *cancellation) {
	struct effects effects;

	effects_init(&effects, p->scratch);
	handle_cancelled(&cancellation->delivery, cancellation->reason, clock_wall_ms(), &effects);
	turn->delivery_counts[METRIC_DELIVERY_DEAD]--; /* counted as one by its event */
	turn->delivery_counts[METRIC_DELIVERY_WITHDRAWN]++;
	return turn_write_effects(p, turn, &p->partitions[cancellation->partition_id], &effects);
}

/* One at least; the others while there is room, for a row with a large body is long in being
 * deleted. */
static int handle_cancellations(struct pipeline *p, struct turn *turn, const struct work *work) {
	bool has_room = true;
	int r = 0;

	for (size_t i = 0; i < work->cancellation_count && has_room && r == 0; i++) {
		struct turn_spent now;

		r = handle_cancellation(p, turn, &work->cancellations[i]);
		now = spent(p, turn);
		has_room = turn_budget_allows_outcome(&p->budget, &now);
	}
	return r;
}

static int handle_report(struct pipeline *p, struct turn *turn,
			 const struct dispatch_report *report) {
	const struct registry *registry = replica_registry(p->replica);
	struct webhook webhook;
	struct effects effects;
	int r = registry->webhook_get(registry->userdata, p->scratch, report->report.tenant_id,
				      &report->report.webhook_id, &webhook);

	if (r != 0)
		return r == REGISTRY_E_NOT_FOUND ? 0 : r;
	effects_init(&effects, p->scratch);
	handle_endpoint_report(&p->outcome_settings, &webhook, &report->report, clock_wall_ms(),
			       &effects);
	return effects.change_count > 0
		   ? turn_write_effects(p, turn, &p->partitions[report->partition_id], &effects)
		   : 0;
}

static int handle_reports(struct pipeline *p, struct turn *turn, const struct work *work) {
	int r = 0;

	for (size_t i = 0; i < work->report_count && r == 0; i++)
		r = handle_report(p, turn, &work->reports[i]);
	return r;
}

static int handle_expired(struct pipeline *p, struct turn *turn, const struct work *work) {
	int r = 0;

	for (size_t i = 0; i < work->expired_count && r == 0; i++) {
		struct effects effects;

		effects_init(&effects, p->scratch);
		for (size_t k = 0; k < work->expired[i].count; k++)
			effects_delete(&effects, &work->expired[i].keys[k]);
		r = turn_write_effects(p, turn, work->expired[i].partition, &effects);
	}
	return r;
}

int turn_handle(struct pipeline *p, struct turn *turn, struct work *work) {
	int r = handle_outcomes(p, turn, work);

	if (r == 0)
		r = handle_cancellations(p, turn, work);
	if (r == 0)
		r = handle_reports(p, turn, work);
	if (r == 0)
		r = handle_expired(p, turn, work);
	if (r == 0)
		r = handle_commands(p, turn, work);
	return r == 0 ? turn_write_positions(p) : r;
}
