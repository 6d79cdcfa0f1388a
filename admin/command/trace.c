#include "avro/json.h"
#include "command/command.h"
#include "command/flags.h"
#include "command/trace_story.h"
#include "kafka/reader.h"
#include "kafka/record_codec.h"
#include "rdkafka/topic_names.h"
#include "terminal/clean.h"
#include "terminal/interrupt.h"
#include "terminal/output.h"

enum { LINE_MAX_BYTES = 64 * 1024 * 1024, FOLLOW_POLL_MS = 200 };

static const struct flag trace_flags[] = {
	{ "follow", NULL, "continue until each delivery has ended, or until interrupted" },
	{ "since", "TIME",
	  "only what happened at this time or later: 2026-01-31T12:00:00.000Z, or back from now: "
	  "2h" },
	{ 0 },
};

struct trace {
	const struct invocation *invocation;
	struct codec *codec;
	struct arena *arena;
	struct buffer line;
	struct story *story;
	int64_t since_ms; /* 0: any */
};

/* Decodes an event of the tenant into the arena. Passes over all others. */
static bool read_event(struct trace *trace, const struct record *record,
		       struct analytic_event *out) {
	const char *why;

	arena_reset(trace->arena);
	return record->value &&
	       codec_decode_event(trace->codec, trace->arena, record->value, record->len, out,
				  &why) == 0 &&
	       strcmp(out->tenant_id, trace->invocation->tenant) == 0;
}

static enum admin_status note(void *userdata, const struct record *record) {
	struct trace *trace = userdata;
	struct analytic_event event;

	if (read_event(trace, record, &event))
		story_note(trace->story, &event);
	return ADMIN_OK;
}

static enum admin_status tell(void *userdata, const struct record *record) {
	struct trace *trace = userdata;
	struct analytic_event event;

	if (!read_event(trace, record, &event))
		return ADMIN_OK;
	story_note(trace->story, &event);
	if (!story_has(trace->story, &event))
		return ADMIN_OK;
	story_follow(trace->story, &event);
	buffer_clear(&trace->line);
	if (trace->invocation->json) {
		json_append_event(&trace->line, &event);
	} else {
		story_append_line(trace->story, &event, &trace->line);
		terminal_clean(trace->line.data);
	}
	buffer_append_char(&trace->line, '\n');
	return terminal_print_buffer(stdout, "trace", &trace->line);
}

static enum admin_status open_reader(const struct trace *trace, bool prints, struct reader **out) {
	const struct invocation *invocation = trace->invocation;
	_cleanup_(x_freep) char *topic =
	    topic_name(invocation->config->topic_prefix, TOPIC_RESULTS);
	const struct reader_options options = { .topic = topic,
						.key = invocation->tenant,
						.start = trace->since_ms ? READER_FROM_TIME
									 : READER_FROM_BEGINNING,
						.since_ms = trace->since_ms,
						.timeout_ms = invocation->timeout_ms,
						.prints = prints };

	return reader_open(invocation->config, &options, out);
}

/* First, which commands the id has to do with: their first events do not name it. */
static enum admin_status find_commands(struct trace *trace) {
	_cleanup_(reader_closep) struct reader *reader = NULL;
	enum admin_status status = open_reader(trace, false, &reader);

	return status ? status : reader_walk(reader, trace->invocation->timeout_ms, note, trace);
}

/* From the beginning on: a walk would pass over what comes behind the end. */
static enum admin_status follow(struct trace *trace, struct reader *reader) {
	enum admin_status status = ADMIN_OK;
	struct record record;

	interrupt_catch();
	while (!status && !interrupt_came() &&
	       !(reader_is_at_end(reader) && story_has_ended(trace->story))) {
		enum reader_event event = reader_next(reader, FOLLOW_POLL_MS, &record);

		if (event == READER_FAILED)
			status = reader_status(reader);
		else if (event == READER_RECORD)
			status = tell(trace, &record);
		if (!status && fflush(stdout))
			status = ADMIN_REFUSED;
	}
	return status;
}

static enum admin_status tell_story(struct trace *trace) {
	bool follows = arguments_has(trace->invocation->arguments, "follow");
	_cleanup_(reader_closep) struct reader *reader = NULL;
	enum admin_status status = open_reader(trace, true, &reader);

	if (!status)
		status = follows ? follow(trace, reader)
				 : reader_walk(reader, trace->invocation->timeout_ms, tell, trace);
	if (status || !story_is_empty(trace->story))
		return status;
	terminal_complain("tenant %s has nothing of %s on webhook-results",
			  trace->invocation->tenant, trace->invocation->arguments->operands[0]);
	return ADMIN_REFUSED;
}

static enum admin_status trace_id(const struct invocation *invocation) {
	_cleanup_(codec_freep) struct codec *codec = record_codec_new(invocation->config);
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(story_freep) struct story *story = story_new(invocation->arguments->operands[0]);
	struct trace trace = { .invocation = invocation,
			       .codec = codec,
			       .arena = arena,
			       .line = BUFFER_INIT(LINE_MAX_BYTES),
			       .story = story };
	enum admin_status status = codec ? ADMIN_OK : ADMIN_USAGE;
	bool has_since;

	if (!status)
		status = flags_read_since(invocation, &has_since, &trace.since_ms);
	if (!status)
		status = find_commands(&trace);
	if (!status)
		status = tell_story(&trace);
	buffer_destroy(&trace.line);
	return status;
}

const struct subcommand trace_subcommands[] = {
	{
	    .family = "trace",
	    .operands = "ID",
	    .operand_count = 1,
	    .summary = "tell what became of a credential, command, delivery or event",
	    .details =
		"ID is a credentialId (or another subject), a commandId, a delivery's "
		"webhook-id, or the id of a callback's event.\n"
		"Each command that has to do with it is told whole, in order: its answer, its "
		"deliveries, and every attempt with its\n"
		"answer. Read from webhook-results, as far back as the topic reaches.\n",
	    .examples = "trace --tenant acme c-1\n"
			"trace --tenant acme --since 2h --follow c-1\n"
			"trace --tenant acme --json c-1\n",
	    .flags = trace_flags,
	    .needs_tenant = true,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = trace_id,
	},
	{ 0 },
};
