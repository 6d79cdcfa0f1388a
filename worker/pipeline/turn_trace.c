#include "pipeline/turn_trace.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "pipeline/trace_context.h"
#include "trace/trace.h"

/* Source: OpenTelemetry specification 1.50, "Span Limits". */
enum { LINKS_MAX = 128 };

struct traced_command {
	struct span_ref ref;
	char parent_id[SPAN_ID_LEN + 1];
	const char *trace_state;            /* NULL: none */
	const char *tenant_id, *command_id; /* NULL: of a dead letter */
	const char *name, *topic, *outcome, *partition;
	const char *error; /* NULL: none */
	int64_t offset, started_us;
	int32_t status; /* 0: of a dead letter */
};

/* The event that answers the command. NULL: a command's effects have one. */
static const struct analytic_event *answer(const struct effects *effects) {
	for (size_t i = 0; i < effects->event_count; i++) {
		const struct analytic_event *event = &effects->events[i];

		if (event->command_id &&
		    (event->step == ANALYTIC_SUCCESS || event->step == ANALYTIC_FAIL))
			return event;
	}
	return NULL;
}

/* Only a command that is carried out now has deliveries whose attempts name its span. A repeated
 * one has the trace and the id of the first. */
static struct span_ref ref_of(const struct analytic_event *event) {
	struct span_ref parent = traceparent_ref(event->traceparent);

	return event->repeat || event->step == ANALYTIC_FAIL
		   ? span_ref_beside(&parent)
		   : span_ref_of_command(event->traceparent, event->tenant_id, event->command_id);
}

/* What is known of any record. */
static struct traced_command *add(struct turn_trace *trace, struct arena *arena,
				  const rd_kafka_message_t *message, const char *traceparent,
				  const char *tracestate) {
	const char *topic = arena_strdup(arena, rd_kafka_topic_name(message->rkt));
	struct traced_command *command;

	trace->commands = arena_grow(arena, trace->commands, trace->count, &trace->capacity,
				     sizeof(*trace->commands));
	command = &trace->commands[trace->count++];
	*command = (struct traced_command){
		.trace_state = arena_strdup_null(arena, tracestate),
		.name = arena_printf(arena, "process %s", topic),
		.topic = topic,
		.partition = arena_printf(arena, "%d", (int)message->partition),
		.offset = message->offset,
		.started_us = clock_wall_ms() * 1000,
	};
	memcpy(command->parent_id, traceparent_ref(traceparent).id, sizeof(command->parent_id));
	return command;
}

void turn_trace_note(struct turn_trace *trace, struct arena *arena,
		     const rd_kafka_message_t *message, const struct effects *effects) {
	const struct analytic_event *event = answer(effects);
	struct traced_command *command;

	if (!event || !trace_wants(event->traceparent))
		return;
	command = add(trace, arena, message, event->traceparent, event->tracestate);
	command->ref = ref_of(event);
	command->tenant_id = arena_strdup(arena, event->tenant_id);
	command->command_id = arena_strdup(arena, event->command_id);
	command->outcome = analytic_event_type(event->subject, event->step);
	command->error = event->step == ANALYTIC_FAIL ? command->outcome : NULL;
	command->status = event->status;
}

void turn_trace_note_letter(struct turn_trace *trace, struct arena *arena,
			    const rd_kafka_message_t *message, const char *reason) {
	struct trace_context context = trace_context_read(arena, message);
	struct traced_command *command;
	struct span_ref parent;

	if (!trace_wants(context.traceparent))
		return;
	parent = traceparent_ref(context.traceparent);
	command = add(trace, arena, message, context.traceparent, context.tracestate);
	command->ref = span_ref_beside(&parent);
	command->outcome = "dead letter";
	command->error = utf8_is_text(reason, strlen(reason)) ? arena_strdup(arena, reason)
							      : "cannot be decoded";
}

static void add_command(const struct traced_command *command, const struct span_ref *transaction,
			int64_t ended_us) {
	struct span span = { .ref = command->ref,
			     .parent_id = command->parent_id,
			     .trace_state = command->trace_state,
			     .name = command->name,
			     .kind = SPAN_CONSUMER,
			     .started_us = command->started_us,
			     .ended_us = MAX(ended_us, command->started_us),
			     .error = command->error,
			     .links = transaction,
			     .link_count = 1 };

	span_text(&span, "messaging.system", "kafka");
	span_text(&span, "messaging.operation.type", "process");
	span_text(&span, "messaging.destination.name", command->topic);
	span_text(&span, "messaging.destination.partition.id", command->partition);
	span_number(&span, "messaging.kafka.offset", command->offset);
	span_text(&span, "posthorn.tenant", command->tenant_id);
	span_text(&span, "posthorn.command", command->command_id);
	span_text(&span, "posthorn.outcome", command->outcome);
	if (command->status)
		span_number(&span, "posthorn.status", command->status);
	trace_add(&span);
}

static void add_transaction(const struct turn_trace *trace, const struct span_ref *ref,
			    int64_t started_us, int64_t ended_us, int64_t commit_us) {
	struct span_ref links[LINKS_MAX];
	struct span span = { .ref = *ref,
			     .name = "transaction",
			     .kind = SPAN_INTERNAL,
			     .started_us = started_us,
			     .ended_us = ended_us,
			     .links = links,
			     .link_count = MIN(trace->count, (size_t)LINKS_MAX) };

	for (size_t i = 0; i < span.link_count; i++)
		links[i] = trace->commands[i].ref;
	span_text(&span, "messaging.system", "kafka");
	span_number(&span, "posthorn.traced_commands", (int64_t)trace->count);
	span_number(&span, "posthorn.commit_us", commit_us);
	trace_add(&span);
}

void turn_trace_end(const struct turn_trace *trace, int64_t begun_ms, int64_t committed_ms,
		    int64_t commit_us) {
	int64_t ended_us, started_us;
	struct span_ref transaction;

	if (trace->count == 0)
		return;
	ended_us = (clock_wall_ms() - (clock_monotonic_ms() - committed_ms)) * 1000;
	started_us = ended_us - (committed_ms - begun_ms) * 1000;
	transaction = span_ref_random();
	add_transaction(trace, &transaction, started_us, ended_us, commit_us);
	for (size_t i = 0; i < trace->count; i++)
		add_command(&trace->commands[i], &transaction, ended_us);
}
