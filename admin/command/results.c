#include "avro/json.h"
#include "base/clock.h"
#include "command/command.h"
#include "command/flags.h"
#include "command/newest.h"
#include "kafka/reader.h"
#include "kafka/record_codec.h"
#include "rdkafka/topic_names.h"
#include "terminal/clean.h"
#include "terminal/interrupt.h"
#include "terminal/output.h"

#include <fnmatch.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 64 * 1024 * 1024, FOLLOW_POLL_MS = 200 };

static const struct flag tail_flags[] = {
	{ "follow", NULL, "continue with new events until interrupted" },
	{ "from-beginning", NULL, "with --follow: first all existing events" },
	{ "since", "TIME",
	  "only events of this time or later: 2026-01-31T12:00:00.000Z, or back from now: 2h" },
	{ "limit", "N", "only the newest N of the existing events" },
	{ "type", "PATTERN", "only these types, * for any text: WEBHOOK_EVENT_*" },
	{ 0 },
};

struct tail {
	const struct invocation *invocation;
	struct codec *codec;
	struct arena *arena;
	struct buffer line;
	const char *type;      /* NULL: all */
	int64_t since_ms;      /* 0: any */
	struct newest *newest; /* owned; holds lines until the end at the start is reached; NULL:
				  lines are printed at once */
	bool follows;
	uint64_t unreadable;
};

/* Appends the interesting part of the data, behind the fields of all events. */
static void append_summary(struct buffer *out, const struct event_data *data) {
	char id[UUID_TEXT_SIZE];

	switch (data->kind) {
	case EVENT_DATA_NONE:
		break;
	case EVENT_DATA_WEBHOOK:
		uuid_format(&data->webhook.id, id);
		buffer_printf(out, " webhook=%s url=%s", id, data->webhook.url);
		break;
	case EVENT_DATA_WEBHOOK_PAGE:
		buffer_printf(out, " webhooks=%zu", data->page.count);
		break;
	case EVENT_DATA_PROBLEM:
		buffer_printf(out, " %s: %s", data->problem->code, data->problem->message);
		break;
	case EVENT_DATA_CREDENTIAL_ISSUED:
		buffer_printf(out, " credential=%s deliveries=%d",
			      data->credential_issued.credential_id,
			      data->credential_issued.deliveries);
		break;
	case EVENT_DATA_DELIVERY:
		uuid_format(&data->delivery.delivery_id, id);
		buffer_printf(out, " delivery=%s attempt=%d", id, data->delivery.attempt);
		if (data->delivery.reason)
			buffer_printf(out, " reason=%s", data->delivery.reason);
		break;
	case EVENT_DATA_SIGNING_KEY:
		buffer_printf(out, " kid=%s", data->signing_key.kid);
		break;
	case EVENT_DATA_PUBLISHED:
		buffer_printf(out, " event=%s deliveries=%d", data->published.event_type,
			      data->published.deliveries);
		break;
	case EVENT_DATA_SECRET:
		buffer_printf(out, " epoch=%d", data->secret.epoch);
		break;
	case EVENT_DATA_RECOVERED:
		buffer_printf(out, " deliveries=%d", data->recovered);
		break;
	}
}

static void append_for_people(struct buffer *out, const struct analytic_event *event) {
	char time[CLOCK_ISO8601_SIZE], status[16] = "-";

	clock_format_iso8601(event->timestamp_ms, time);
	if (event->status)
		snprintf(status, sizeof(status), "%d", event->status);
	buffer_printf(out, "%s  %-29s  %-3s  %-12s  %-36s ", time,
		      analytic_event_type(event->subject, event->step), status, event->tenant_id,
		      event->command_id ? event->command_id : "-");
	append_summary(out, &event->data);
	if (event->repeat)
		buffer_append_string(out, " (repeat)");
	terminal_clean(out->data);
}

static bool is_wanted(const struct tail *tail, const struct analytic_event *event) {
	const char *type = analytic_event_type(event->subject, event->step);

	return (!tail->invocation->tenant || !strcmp(tail->invocation->tenant, event->tenant_id)) &&
	       (!tail->type || !fnmatch(tail->type, type, 0)) &&
	       event->timestamp_ms >= tail->since_ms;
}

static enum admin_status print_record(void *userdata, const struct record *record) {
	struct tail *tail = userdata;
	struct analytic_event event;
	const char *why = NULL;

	arena_reset(tail->arena);
	buffer_clear(&tail->line);
	if (!record->value || codec_decode_event(tail->codec, tail->arena, record->value,
						 record->len, &event, &why)) {
		terminal_complain("partition %d offset %lld cannot be read: %s", record->partition,
				  (long long)record->offset, why ? why : "a tombstone");
		tail->unreadable++;
		return ADMIN_OK;
	}
	if (!is_wanted(tail, &event))
		return ADMIN_OK;
	if (tail->invocation->json)
		json_append_event(&tail->line, &event);
	else
		append_for_people(&tail->line, &event);
	buffer_append_char(&tail->line, '\n');
	if (!tail->newest)
		return terminal_print_buffer(stdout, "results tail", &tail->line);
	if (terminal_check_buffer("results tail", &tail->line))
		return ADMIN_REFUSED;
	newest_add(tail->newest,
		   &(struct newest_place){ event.timestamp_ms, record->partition, record->offset },
		   x_strdup(tail->line.data));
	return ADMIN_OK;
}

/* Prints the kept lines; later ones are printed at once. */
static enum admin_status print_newest(struct tail *tail) {
	_cleanup_(newest_freep) struct newest *newest = TAKE(tail->newest);

	for (size_t i = 0, count = newest_sort(newest); i < count; i++) {
		if (fputs(newest_get(newest, i), stdout) < 0)
			return ADMIN_REFUSED;
	}
	return ADMIN_OK;
}

/* Takes a record, if there is one. Flushes as soon as no more are at hand. */
static enum admin_status follow_once(struct reader *reader, struct tail *tail, bool *printed) {
	struct record record;

	switch (reader_next(reader, *printed ? 0 : FOLLOW_POLL_MS, &record)) {
	case READER_RECORD:
		*printed = true;
		return print_record(tail, &record);
	case READER_FAILED:
		return reader_status(reader);
	case READER_NOTHING:
	case READER_END:
		break;
	}
	*printed = false;
	return fflush(stdout) ? ADMIN_REFUSED : ADMIN_OK;
}

/* Whether the reader of stdout has closed it: without an event to print, no write would fail. */
static bool stdout_is_closed(void) {
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

/* Follows until it is interrupted, which is no failure. */
static enum admin_status follow(struct reader *reader, struct tail *tail) {
	enum admin_status status = ADMIN_OK;
	bool printed = false;

	interrupt_catch();
	while (!status && !interrupt_came() && (printed || !stdout_is_closed())) {
		if (tail->newest && reader_is_at_end(reader))
			status = print_newest(tail);
		if (!status)
			status = follow_once(reader, tail, &printed);
	}
	return status;
}

static enum reader_start start_of(const struct tail *tail) {
	if (tail->since_ms)
		return READER_FROM_TIME;
	if (tail->follows && !tail->newest &&
	    !arguments_has(tail->invocation->arguments, "from-beginning"))
		return READER_FROM_END;
	return READER_FROM_BEGINNING;
}

static enum admin_status read_results(struct tail *tail) {
	const struct invocation *invocation = tail->invocation;
	_cleanup_(x_freep) char *topic =
	    topic_name(invocation->config->topic_prefix, TOPIC_RESULTS);
	/* An event is as old as its record or older, so that no wanted event lies before this
	 * start. */
	const struct reader_options options = { .topic = topic,
						.start = start_of(tail),
						.since_ms = tail->since_ms,
						.timeout_ms = invocation->timeout_ms,
						.prints = !tail->newest };
	_cleanup_(reader_closep) struct reader *reader = NULL;
	enum admin_status status = reader_open(invocation->config, &options, &reader);

	if (status)
		return status;
	if (tail->follows)
		return follow(reader, tail);
	status = reader_walk(reader, invocation->timeout_ms, print_record, tail);
	return status || !tail->newest ? status : print_newest(tail);
}

/* Refuses a misspelt type, which would never come. */
static enum admin_status check_type(const char *pattern) {
	for (int subject = 0; pattern && subject < ANALYTIC_SUBJECT_COUNT; subject++) {
		for (int step = 0; step <= ANALYTIC_STEP_NONE; step++) {
			if (analytic_event_type_exists((enum analytic_subject)subject,
						       (enum analytic_step)step) &&
			    !fnmatch(pattern,
				     analytic_event_type((enum analytic_subject)subject,
							 (enum analytic_step)step),
				     0))
				return ADMIN_OK;
		}
	}
	if (!pattern)
		return ADMIN_OK;
	terminal_complain(
	    "--type is \"%s\", which matches no type of event; WEBHOOK_* matches some", pattern);
	return ADMIN_USAGE;
}

static enum admin_status read_flags(struct tail *tail) {
	const struct arguments *arguments = tail->invocation->arguments;
	enum admin_status status;
	bool has_since;
	size_t limit;

	tail->type = arguments_get(arguments, "type");
	tail->follows = arguments_has(arguments, "follow");
	status = check_type(tail->type);
	if (!status)
		status = flags_read_since(tail->invocation, &has_since, &tail->since_ms);
	if (!status)
		status = flags_read_limit(tail->invocation, 0, &limit);
	if (status)
		return status;
	if (arguments_has(arguments, "from-beginning") && (has_since || limit)) {
		terminal_complain("--from-beginning cannot be combined with --%s",
				  has_since ? "since" : "limit");
		return ADMIN_USAGE;
	}
	if (limit)
		tail->newest = newest_new(limit, free);
	return ADMIN_OK;
}

static enum admin_status tail_results(const struct invocation *invocation) {
	_cleanup_(codec_freep) struct codec *codec = record_codec_new(invocation->config);
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct tail tail = { .invocation = invocation,
			     .codec = codec,
			     .arena = arena,
			     .line = BUFFER_INIT(LINE_MAX_BYTES) };
	enum admin_status status = codec ? read_flags(&tail) : ADMIN_USAGE;

	if (!status)
		status = read_results(&tail);
	newest_freep(&tail.newest);
	buffer_destroy(&tail.line);
	return !status && tail.unreadable ? ADMIN_REFUSED : status;
}

const struct subcommand results_subcommands[] = {
	{
	    .family = "results",
	    .verb = "tail",
	    .summary = "print committed analytic events",
	    .details = "Without --follow: all events up to the end at the start.\n"
		       "With --follow: new events, and older ones with --from-beginning, --since "
		       "or --limit; until Ctrl-C or SIGTERM, and then\n"
		       "the exit status is 0.\n"
		       "A tenant's events are in order; those of different tenants are mixed. With "
		       "--limit the older events are in the order of\n"
		       "time.\n",
	    .examples = "results tail --tenant acme --since 2h\n"
			"results tail --limit 20 --follow\n"
			"results tail --follow --type 'WEBHOOK_EVENT_*'\n"
			"results tail --follow --from-beginning --json\n",
	    .flags = tail_flags,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = tail_results,
	},
	{ 0 },
};
