#include "avro/json.h"
#include "base/clock.h"
#include "command/call.h"
#include "kafka/topics.h"
#include "terminal/clean.h"

#include <fnmatch.h>
#include <stdio.h>

enum { LINE_MAX_BYTES = 8 * 1024 * 1024, FOLLOW_POLL_MS = 1000 };

static const struct flag tail_flags[] = {
	{ "follow", NULL, "go on with new events until interrupted" },
	{ "from-beginning", NULL, "with --follow: first everything that is there" },
	{ "type", "PATTERN", "only these types, * for any text: WEBHOOK_EVENT_*" },
	{ 0 },
};

struct tail {
	const struct invocation *invocation;
	struct codec *codec;
	struct arena *arena;
	struct buffer line;
	const char *type; /* NULL: all */
	bool follows;
	uint64_t unreadable;
};

/* What people want to see of the data, behind the fields that all events have. */
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
		buffer_printf(out, " credential=%s deliveries=%d", data->credential_issued.credential_id,
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
	buffer_printf(out, "%s  %-29s  %-3s  %-12s  %-36s ", time, analytic_event_type(event->subject, event->step), status,
		      event->tenant_id, event->command_id ? event->command_id : "-");
	append_summary(out, &event->data);
	if (event->repeat)
		buffer_append_string(out, " (repeat)");
	terminal_clean(out->data);
}

static bool is_wanted(const struct tail *tail, const struct analytic_event *event) {
	const char *type = analytic_event_type(event->subject, event->step);

	return (!tail->invocation->tenant || !strcmp(tail->invocation->tenant, event->tenant_id)) &&
	       (!tail->type || !fnmatch(tail->type, type, 0));
}

static enum admin_status print_record(void *userdata, const struct record *record) {
	struct tail *tail = userdata;
	struct analytic_event event;
	const char *why = NULL;

	arena_reset(tail->arena);
	buffer_clear(&tail->line);
	if (!record->value || codec_decode_event(tail->codec, tail->arena, record->value, record->len, &event, &why)) {
		complain("partition %d offset %lld cannot be read: %s", record->partition, (long long)record->offset,
			 why ? why : "a tombstone");
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
	return fwrite(tail->line.data, 1, tail->line.len, stdout) == tail->line.len ? ADMIN_OK : ADMIN_REFUSED;
}

static enum admin_status follow(struct reader *reader, struct tail *tail) {
	enum admin_status status = ADMIN_OK;
	bool printed = false;
	struct record record;

	/* What was printed is to be seen as soon as nothing more is at hand. */
	while (!status) {
		switch (reader_next(reader, printed ? 0 : FOLLOW_POLL_MS, &record)) {
		case READER_RECORD:
			status = print_record(tail, &record);
			printed = true;
			break;
		case READER_FAILED:
			return reader_status(reader);
		case READER_NOTHING:
		case READER_END:
			if (fflush(stdout))
				status = ADMIN_REFUSED;
			printed = false;
			break;
		}
	}
	return status;
}

static enum admin_status read_results(struct tail *tail) {
	const struct invocation *invocation = tail->invocation;
	_cleanup_(x_freep) char *topic = topic_name(invocation->config, TOPIC_RESULTS);
	bool from_end = tail->follows && !arguments_has(invocation->arguments, "from-beginning");
	const struct reader_options options = { .topic = topic,
						.start = from_end ? READER_FROM_END : READER_FROM_BEGINNING,
						.timeout_ms = invocation->timeout_ms };
	_cleanup_(reader_closep) struct reader *reader = NULL;
	enum admin_status status = reader_open(invocation->config, &options, &reader);

	if (status)
		return status;
	return tail->follows ? follow(reader, tail) : reader_walk(reader, invocation->timeout_ms, print_record, tail);
}

static enum admin_status run(const struct invocation *invocation) {
	_cleanup_(codec_freep) struct codec *codec = open_codec(invocation->config);
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct tail tail = { .invocation = invocation,
			     .codec = codec,
			     .arena = arena,
			     .line = BUFFER_INIT(LINE_MAX_BYTES),
			     .type = arguments_get(invocation->arguments, "type"),
			     .follows = arguments_has(invocation->arguments, "follow") };
	enum admin_status status;

	if (!codec)
		return ADMIN_USAGE;
	status = read_results(&tail);
	buffer_destroy(&tail.line);
	return !status && tail.unreadable ? ADMIN_REFUSED : status;
}

const struct subcommand results_subcommands[] = {
	{
		.family = "results",
		.verb = "tail",
		.summary = "print analytic events, committed ones only",
		.details = "Without --follow: everything that is there when it starts, then it ends.\n"
			   "With --follow: new events only, unless --from-beginning; until interrupted.\n"
			   "A tenant's events come in their order; those of different tenants may be mixed in any.\n",
		.examples = "results tail --tenant acme\n"
			    "results tail --follow --type 'WEBHOOK_EVENT_*'\n"
			    "results tail --follow --from-beginning --json\n",
		.flags = tail_flags,
		.needs = CONFIG_NEED_KAFKA,
		.run = run,
	},
	{ 0 },
};
