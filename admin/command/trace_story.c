#include "command/trace_story.h"

#include "base/clock.h"
#include "base/hash.h"

struct known {
	UT_hash_handle hh;
	int32_t promised; /* of a command: deliveries that its answer tells of */
	int32_t seen;     /* and those that came */
	char id[];
};

struct story {
	const char *id;                /* borrowed */
	struct known *commands, *told; /* what is told, with its deliveries */
	struct known *deliveries;      /* those that came */
	struct known *open;            /* deliveries and commands that have not ended */
	char *answered;                /* owned; the last command that promised deliveries */
	struct known *unnamed; /* those of its deliveries whose recording names no command */
	int32_t owed;          /* promised by it, and not recorded so far */
	int64_t begun_at_ms;   /* wall; -1: no event yet */
};

struct story *story_new(const char *id) {
	struct story *story = x_calloc(1, sizeof(*story));

	story->id = id;
	story->begun_at_ms = -1;
	return story;
}

static struct known *find(struct known *set, const char *id) {
	struct known *found;

	HASH_FIND_STR(set, id, found);
	return found;
}

/* Returns whether it was not there. */
static bool add(struct known **set, const char *id) {
	struct known *known;

	if (find(*set, id))
		return false;
	known = x_calloc(1, sizeof(*known) + strlen(id) + 1);
	strcpy(known->id, id);
	HASH_ADD_STR(*set, id, known);
	return true;
}

static void drop(struct known **set, const char *id) {
	struct known *known = find(*set, id);

	if (!known)
		return;
	HASH_DEL(*set, known);
	free(known);
}

static void drop_all(struct known **set) {
	while (*set)
		drop(set, (*set)->id);
}

void story_free(struct story *story) {
	drop_all(&story->commands);
	drop_all(&story->told);
	drop_all(&story->deliveries);
	drop_all(&story->open);
	drop_all(&story->unnamed);
	free(story->answered);
	free(story);
}

static bool is_uuid(const struct story *story, const struct uuid *uuid) {
	struct uuid id;

	return uuid_parse(story->id, &id) == 0 && uuid_compare(&id, uuid) == 0;
}

static bool is_text(const struct story *story, const char *text) {
	return text && strcmp(story->id, text) == 0;
}

static bool is_of_delivery(const struct story *story, const struct delivery_report *report) {
	return is_uuid(story, &report->delivery_id) || is_text(story, report->subject) ||
	       (report->has_event_id && is_uuid(story, &report->event_id));
}

static bool is_told_by(const struct story *story, const struct analytic_event *event) {
	if (is_text(story, event->command_id))
		return true;
	switch (event->data.kind) {
	case EVENT_DATA_DELIVERY:
		return is_of_delivery(story, &event->data.delivery);
	case EVENT_DATA_CREDENTIAL_ISSUED:
		return is_text(story, event->data.credential_issued.credential_id);
	case EVENT_DATA_PUBLISHED:
		return is_uuid(story, &event->data.published.event_id);
	default:
		return false;
	}
}

/* Deliveries that come behind the answer; those of a repeated one came before, or the reading began
 * after them. */
static int32_t promised_by(const struct analytic_event *event) {
	return event->repeat ? 0
	       : event->data.kind == EVENT_DATA_CREDENTIAL_ISSUED
		   ? event->data.credential_issued.deliveries
	       : event->data.kind == EVENT_DATA_PUBLISHED ? event->data.published.deliveries
							  : 0;
}

static bool is_of_a_delivery(const struct analytic_event *event) {
	return event->subject == ANALYTIC_WEBHOOK_EVENT && event->data.kind == EVENT_DATA_DELIVERY;
}

static struct known *find_delivery(struct known *set, const struct analytic_event *event) {
	char delivery[UUID_TEXT_SIZE];

	uuid_format(&event->data.delivery.delivery_id, delivery);
	return find(set, delivery);
}

static bool add_delivery(struct known **set, const struct analytic_event *event) {
	char delivery[UUID_TEXT_SIZE];

	uuid_format(&event->data.delivery.delivery_id, delivery);
	return add(set, delivery);
}

/* An older worker's step of a delivery names no command, but what a command has recorded stands
 * behind its answer. */
static const char *command_of(const struct story *story, const struct analytic_event *event) {
	if (event->command_id || !is_of_a_delivery(event))
		return event->command_id;
	return find_delivery(story->unnamed, event) ? story->answered : NULL;
}

static bool is_of_command(const struct story *story, const struct analytic_event *event) {
	const char *command = command_of(story, event);

	return command && find(story->commands, command);
}

static void note_answer(struct story *story, const struct analytic_event *event) {
	story->owed = promised_by(event);
	drop_all(&story->unnamed);
	free(story->answered);
	story->answered = x_strdup(event->command_id);
}

static void note_unnamed(struct story *story, const struct analytic_event *event) {
	if (story->owed > 0 && !event->command_id && event->step == ANALYTIC_RECEIVE) {
		add_delivery(&story->unnamed, event);
		story->owed--;
	}
}

/* The deliveries of its command that came before it are told too. */
static void tell_unnamed(struct story *story) {
	for (const struct known *each = story->unnamed; each; each = each->hh.next)
		add(&story->told, each->id);
}

static void note_delivery(struct story *story, const struct analytic_event *event) {
	add_delivery(&story->told, event);
	if (!event->command_id && command_of(story, event))
		tell_unnamed(story);
}

void story_note(struct story *story, const struct analytic_event *event) {
	bool is_told = is_told_by(story, event);

	if (promised_by(event) > 0)
		note_answer(story, event);
	if (is_of_a_delivery(event))
		note_unnamed(story, event);
	if (is_told && command_of(story, event))
		add(&story->commands, command_of(story, event));
	if (is_of_a_delivery(event) && (is_told || is_of_command(story, event)))
		note_delivery(story, event);
}

bool story_is_empty(const struct story *story) {
	return !story->commands && !story->told;
}

bool story_has(const struct story *story, const struct analytic_event *event) {
	return is_of_command(story, event) ||
	       (is_of_a_delivery(event) && find_delivery(story->told, event));
}

static void follow_command(struct story *story, const struct analytic_event *event) {
	struct known *command = find(story->commands, event->command_id);

	if (event->step == ANALYTIC_START)
		add(&story->open, event->command_id);
	else
		drop(&story->open, event->command_id);
	command->promised = MAX(command->promised, promised_by(event));
}

static void follow_delivery(struct story *story, const struct analytic_event *event) {
	char delivery[UUID_TEXT_SIZE];

	uuid_format(&event->data.delivery.delivery_id, delivery);
	if (add(&story->deliveries, delivery) && is_of_command(story, event))
		find(story->commands, command_of(story, event))->seen++;
	if (event->step == ANALYTIC_PROCESS_SUCCESS || event->step == ANALYTIC_PROCESS_FAIL)
		drop(&story->open, delivery);
	else
		add(&story->open, delivery);
}

void story_follow(struct story *story, const struct analytic_event *event) {
	if (story->begun_at_ms < 0)
		story->begun_at_ms = event->timestamp_ms;
	if (is_of_a_delivery(event))
		follow_delivery(story, event);
	else
		follow_command(story, event);
}

/* A command's answer stands before the deliveries that it tells of. */
bool story_has_ended(const struct story *story) {
	for (const struct known *command = story->commands; command; command = command->hh.next)
		if (command->seen < command->promised)
			return false;
	return story->begun_at_ms >= 0 && !story->open;
}

static void append_answer(struct buffer *out, const struct delivery_report *report) {
	const struct attempt_response *response = report->response;

	if (report->reason)
		buffer_printf(out, ", %s", report->reason);
	else if (report->status)
		buffer_printf(out, ", status %d", report->status);
	if (report->duration_ms >= 0)
		buffer_printf(out, " after %lld ms", (long long)report->duration_ms);
	if (response && response->address)
		buffer_printf(out, " from %s", response->address);
	if (response && response->tls_version)
		buffer_printf(out, " (%s)", response->tls_version);
	if (response && response->body)
		buffer_printf(out, ": %s", response->body);
}

static void append_delivery(struct buffer *out, const struct analytic_event *event) {
	const struct delivery_report *report = &event->data.delivery;
	bool is_attempt = report->duration_ms >= 0;
	char delivery[UUID_TEXT_SIZE], webhook[UUID_TEXT_SIZE], next[CLOCK_ISO8601_SIZE];

	uuid_format(&report->delivery_id, delivery);
	uuid_format(&report->webhook_id, webhook);
	clock_format_iso8601(report->next_attempt_at_ms, next);
	buffer_printf(out, "delivery %s ", delivery);
	if (event->step == ANALYTIC_RECEIVE)
		buffer_printf(out, "recorded: %s to webhook %s", report->event_type, webhook);
	else if (event->step == ANALYTIC_PROCESS_SUCCESS)
		buffer_printf(out, "succeeded: attempt %d", report->attempt);
	else if (event->step == ANALYTIC_RETRY)
		buffer_printf(out, "failed: attempt %d", report->attempt);
	else if (event->step == ANALYTIC_RESEND)
		buffer_printf(out, "is resent, due at %s", next);
	else if (is_attempt)
		buffer_printf(out, "is dead: attempt %d", report->attempt);
	else
		buffer_append_string(out, "withdrawn");
	if (event->step != ANALYTIC_RECEIVE && event->step != ANALYTIC_RESEND)
		append_answer(out, report);
	if (event->step == ANALYTIC_RETRY)
		buffer_printf(out, "; next at %s", next);
}

static void append_command(struct buffer *out, const struct analytic_event *event) {
	buffer_printf(out, "command %s %s", event->command_id,
		      analytic_event_type(event->subject, event->step));
	if (event->status)
		buffer_printf(out, ", status %d", event->status);
	if (event->data.kind == EVENT_DATA_CREDENTIAL_ISSUED)
		buffer_printf(out, ": credential %s, deliveries %d",
			      event->data.credential_issued.credential_id,
			      event->data.credential_issued.deliveries);
	if (event->data.kind == EVENT_DATA_PUBLISHED)
		buffer_printf(out, ": event %s, deliveries %d", event->data.published.event_type,
			      event->data.published.deliveries);
	if (event->data.kind == EVENT_DATA_PROBLEM)
		buffer_printf(out, ": %s", event->data.problem->message);
	if (event->repeat)
		buffer_append_string(out, " (repeat)");
}

void story_append_line(const struct story *story, const struct analytic_event *event,
		       struct buffer *out) {
	char time[CLOCK_ISO8601_SIZE];

	clock_format_iso8601(event->timestamp_ms, time);
	buffer_printf(out, "%s %+10.3f s  ", time,
		      (double)(event->timestamp_ms - story->begun_at_ms) / 1000);
	if (is_of_a_delivery(event))
		append_delivery(out, event);
	else
		append_command(out, event);
}
