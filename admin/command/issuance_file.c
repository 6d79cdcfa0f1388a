#include "command/issuance_file.h"

#include "base/clock.h"
#include "command/call.h"
#include "command/issuance_json.h"
#include "command/item_source.h"
#include "command/outstanding.h"
#include "terminal/progress.h"

#include <inttypes.h>
#include <stdio.h>

/* Outcomes are read after so many commands, while more are sent. */
enum { DRAIN_EVERY = 1024 };

struct run {
	const struct invocation *invocation;
	enum topic topic;
	struct call call;
	struct item_source *source;
	struct outstanding *outstanding; /* NULL: outcomes are not awaited */
	struct progress progress;
	int64_t started_ms;
	uint64_t queued, refused, succeeded, failed;
};

static void refuse_item(struct run *run, const struct item *item, const char *why) {
	terminal_complain("%s %" PRIu64 ": %s", item_source_unit(run->source), item->number, why);
	run->refused++;
}

/* A command of either topic: both begin with the envelope. */
union item_command {
	struct command_envelope envelope;
	struct issuance issuance;
	struct event_command event;
};

static int parse_item(struct run *run, const struct item *item, union item_command *out,
		      const char **why) {
	const struct issuance_defaults defaults = { .tenant_id = run->invocation->tenant,
						    .now_ms = clock_wall_ms() };
	const char *text = item->text.bytes;

	return run->topic == TOPIC_EVENTS
		   ? event_json_parse(run->call.arena, text, item->text.len, &defaults, &out->event,
				      why)
		   : issuance_json_parse(run->call.arena, text, item->text.len, &defaults,
					 &out->issuance, why);
}

static enum admin_status send_command(struct run *run, const union item_command *command) {
	return run->topic == TOPIC_EVENTS
		   ? command_client_send_event(run->call.client, &command->event)
		   : command_client_send_issuance(run->call.client, &command->issuance);
}

static enum admin_status send_item(struct run *run, const struct item *item) {
	union item_command command;
	enum admin_status status;
	const char *why;

	arena_reset(run->call.arena);
	if (parse_item(run, item, &command, &why)) {
		refuse_item(run, item, why);
		return ADMIN_OK;
	}
	status = send_command(run, &command);
	if (status == ADMIN_REFUSED) {
		refuse_item(run, item, "larger than command.max.bytes");
		return ADMIN_OK;
	}
	if (status)
		return status;
	run->queued++;
	if (run->outstanding)
		outstanding_add(run->outstanding, command.envelope.tenant_id,
				command.envelope.command_id);
	return ADMIN_OK;
}

static enum analytic_subject subject_of(const struct run *run) {
	return run->topic == TOPIC_EVENTS ? ANALYTIC_WEBHOOK_EVENT_PUBLISH
					  : ANALYTIC_OPENID_CREDENTIAL;
}

static void take_outcome(struct run *run, const struct analytic_event *outcome) {
	if (outcome->subject != subject_of(run) ||
	    !outstanding_take(run->outstanding, outcome->tenant_id, outcome->command_id))
		return;
	if (outcome->step == ANALYTIC_SUCCESS) {
		run->succeeded++;
		return;
	}
	run->failed++;
	terminal_complain("command %s of tenant %s: %d %s", outcome->command_id, outcome->tenant_id,
			  outcome->status,
			  outcome->data.kind == EVENT_DATA_PROBLEM ? outcome->data.problem->message
								   : "");
}

/* Takes all outcomes that have come, after waiting at most `wait_ms` for the first one. */
static enum admin_status take_outcomes(struct run *run, int wait_ms) {
	struct analytic_event outcome;

	for (;; wait_ms = 0) {
		switch (command_client_next_outcome(run->call.client, run->invocation->tenant,
						    wait_ms, &outcome)) {
		case READER_RECORD:
			take_outcome(run, &outcome);
			break;
		case READER_FAILED:
			return command_client_status(run->call.client);
		case READER_NOTHING:
		case READER_END:
			return ADMIN_OK;
		}
	}
}

static enum admin_status send_all(struct run *run) {
	enum admin_status status = ADMIN_OK;
	struct item item;

	progress_start(&run->progress, item_source_total(run->source));
	while (!status && item_source_next(run->source, &item)) {
		status = send_item(run, &item);
		if (!status && run->outstanding && item.number % DRAIN_EVERY == 0)
			status = take_outcomes(run, 0);
		progress_update(&run->progress, item_source_done(run->source), run->queued);
	}
	if (!status)
		status = command_client_flush(run->call.client);
	progress_finish(&run->progress, item_source_done(run->source), run->queued);
	return status ? status : item_source_status(run->source);
}

/* Waits for all outcomes, `timeout_ms` at most for each next one. Outcomes of others' commands do
 * not count. */
static enum admin_status await_all(struct run *run) {
	int64_t timeout_ms = run->invocation->timeout_ms,
		deadline_ms = clock_monotonic_ms() + timeout_ms;
	uint64_t left = outstanding_count(run->outstanding);

	while (left) {
		int64_t wait_ms = deadline_ms - clock_monotonic_ms();
		enum admin_status status;

		if (wait_ms <= 0) {
			terminal_complain("%" PRIu64 " commands are without an outcome", left);
			return command_client_complain_timeout(run->call.client, "webhook-results");
		}
		status = take_outcomes(run, (int)wait_ms);
		if (status)
			return status;
		if (outstanding_count(run->outstanding) < left)
			deadline_ms = clock_monotonic_ms() + timeout_ms;
		left = outstanding_count(run->outstanding);
	}
	return ADMIN_OK;
}

static void show_summary(const struct run *run) {
	uint64_t sent = producer_acknowledged(command_client_producer(run->call.client)),
		 lost = producer_lost(command_client_producer(run->call.client));
	double seconds = (double)MAX(clock_monotonic_ms() - run->started_ms, (int64_t)1) / 1000;

	if (run->invocation->json) {
		printf("{\"sent\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"lost\":%" PRIu64, sent,
		       run->refused, lost);
		if (run->outstanding)
			printf(",\"succeeded\":%" PRIu64 ",\"failed\":%" PRIu64
			       ",\"unanswered\":%" PRIu64,
			       run->succeeded, run->failed, outstanding_count(run->outstanding));
		printf(",\"seconds\":%.3f}\n", seconds);
		return;
	}
	printf("%" PRIu64 " sent, %" PRIu64 " refused, %" PRIu64 " lost in %.1f s (%.0f/s)\n", sent,
	       run->refused, lost, seconds, (double)sent / seconds);
	if (run->outstanding)
		printf("%" PRIu64 " succeeded, %" PRIu64 " failed, %" PRIu64
		       " without an outcome\n",
		       run->succeeded, run->failed, outstanding_count(run->outstanding));
}

static enum admin_status send_and_await(struct run *run) {
	enum admin_status status = send_all(run);

	if (!status && run->outstanding)
		status = await_all(run);
	show_summary(run);
	return status ? status : run->refused || run->failed ? ADMIN_REFUSED : ADMIN_OK;
}

enum admin_status issuance_file_send(const struct invocation *invocation, enum topic topic) {
	bool waits = arguments_has(invocation->arguments, "wait");
	const struct command_client_options options = { .topic = topic,
							.awaits_outcomes = waits,
							.timeout_ms = invocation->timeout_ms };
	_cleanup_(item_source_closep) struct item_source *source = NULL;
	_cleanup_(outstanding_freep) struct outstanding *outstanding =
	    waits ? outstanding_new() : NULL;
	struct run run = { .invocation = invocation,
			   .topic = topic,
			   .outstanding = outstanding,
			   .started_ms = clock_monotonic_ms() };
	enum admin_status status =
	    item_source_open(arguments_get(invocation->arguments, "file"), &source);

	if (status)
		return status;
	run.source = source;
	status = call_open(&run.call, invocation, &options);
	if (!status)
		status = send_and_await(&run);
	call_close(&run.call);
	return status;
}

enum admin_status issuance_file_check_flags(const struct invocation *invocation) {
	static const char *const allowed[] = { "file",   "wait", "config", "set",
					       "tenant", "json", "timeout" };

	for (size_t i = 0; i < invocation->arguments->given_count; i++) {
		const char *name = invocation->arguments->given[i].flag->name;
		bool is_allowed = false;

		for (size_t k = 0; k < ARRAY_LEN(allowed); k++)
			is_allowed |= !strcmp(name, allowed[k]);
		if (!is_allowed) {
			terminal_complain(
			    "--%s cannot be combined with --file, whose objects have it", name);
			return ADMIN_USAGE;
		}
	}
	return ADMIN_OK;
}
