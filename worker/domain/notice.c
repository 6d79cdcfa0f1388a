#include "domain/notice.h"

#include "base/invariant.h"
#include "domain/delivery_event.h"
#include "domain/id.h"
#include "domain/limits.h"
#include "domain/url.h"

#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 3600 * 1000 };

/* Also a clock that is behind the one that told it counts; one that was far ahead does not (R10).
 */
bool notice_is_recent(const struct notice_context *context, int64_t told_at_ms) {
	return told_at_ms && llabs(context->now_ms - told_at_ms) < HOUR_MS;
}

void notice_leave_out(struct effects *out, enum event_type_builtin type) {
	out->left_out |= 1U << type;
}

struct match {
	const char *type;
	const char *endpoint; /* that it speaks about */
	struct event_facts facts;
	int *filtered;
};

/* The webhook that it speaks about has its own endpoint (R14). */
static bool takes(void *userdata, const struct subscriber *subscriber) {
	struct match *match = userdata;

	return strcmp(subscriber->endpoint, match->endpoint) != 0 &&
	       subscriber_takes(subscriber, match->type, &match->facts, match->filtered);
}

/* Who gets it, and how many do not by their filter. */
struct matches {
	struct subscriber *items;
	size_t count;
	int filtered;
};

static int find_matches(const struct notice_context *context, const struct notice *notice,
			struct arena *arena, struct matches *out) {
	const struct registry *registry = context->registry;
	const struct webhook *webhook = notice->webhook;
	char subject[UUID_TEXT_SIZE];
	struct match match = {
		.type = event_type_builtin_name(notice->type),
		.endpoint = url_endpoint(arena, webhook->url),
		.facts.subject = subject,
		.filtered = &out->filtered,
	};
	const struct subscriber_query query = {
		.takes = takes,
		.userdata = &match,
		.limit = NOTICE_FANOUT_MAX,
		.of_notices = true,
		.walked_max = NOTICE_FANOUT_MAX,
	};

	uuid_format(&webhook->id, subject);
	return registry->subscribers(registry->userdata, arena, webhook->tenant_id, &query,
				     &out->items, &out->count);
}

/* What is the same in all of its deliveries. One about a delivery belongs to the story of that
 * one's command; the others have no command, and are found by their event's id. */
static struct delivery delivery_of(const struct notice *notice, struct arena *arena) {
	const struct delivery *dead = notice->delivery;
	char *event_id = arena_alloc(arena, UUID_TEXT_SIZE),
	     *subject = arena_alloc(arena, UUID_TEXT_SIZE);
	struct delivery delivery = {
		.event_id =
		    id_of_notice(event_type_builtin_name(notice->type), &notice->webhook->id,
				 dead ? &dead->id : NULL, notice->moment_ms),
		.tenant_id = notice->webhook->tenant_id,
		.command_id = dead ? dead->command_id : event_id,
		.request_id = dead ? dead->request_id : NULL,
		.client_id = dead ? dead->client_id : NULL,
		.traceparent = dead ? dead->traceparent : NULL,
		.tracestate = dead ? dead->tracestate : NULL,
		.event_type = event_type_builtin_name(notice->type),
		.subject = subject,
		.status = DELIVERY_PENDING,
		.created_at_ms = notice->at_ms,
		.next_attempt_at_ms = notice->at_ms,
	};

	uuid_format(&delivery.event_id, event_id);
	uuid_format(&notice->webhook->id, subject);
	return delivery;
}

static void record_to(struct delivery delivery, const struct uuid *webhook_id,
		      const struct buffer *event_json, struct effects *out) {
	struct delivery_report report;
	char event_id[UUID_TEXT_SIZE];

	uuid_format(&delivery.event_id, event_id);
	delivery.webhook_id = *webhook_id;
	delivery.id = id_of_delivery(delivery.tenant_id, event_id, delivery.event_type, webhook_id);
	callback_body(out->arena, event_json, &delivery);
	effects_put(out, &(struct state_record){ .kind = STATE_DELIVERY, .delivery = delivery });
	report = delivery_event_report(out->arena, &delivery);
	report.next_attempt_at_ms = delivery.next_attempt_at_ms;
	delivery_event_add(out, &delivery, ANALYTIC_RECEIVE, delivery.created_at_ms, &report);
}

static void record(const struct notice *notice, const struct matches *matches,
		   struct effects *out) {
	_cleanup_(buffer_destroy) struct buffer event_json = BUFFER_INIT(EVENT_JSON_MAX);
	struct delivery delivery = delivery_of(notice, out->arena);

	event_json_notice(&event_json, out->arena, notice, &delivery.event_id);
	invariant(!event_json.overflowed, "a notice is far smaller than a body may be");
	for (size_t i = 0; i < matches->count; i++)
		record_to(delivery, &matches->items[i].webhook_id, &event_json, out);
	out->filtered += matches->filtered;
	out->told |= 1U << notice->type;
}

static bool has_room(const struct notice_context *context, size_t count) {
	return context->pending_max == 0 ||
	       context->pending_deliveries + (int64_t)count <= context->pending_max;
}

int notice_tell(const struct notice_context *context, const struct notice *notice,
		struct effects *out) {
	struct matches matches = { 0 };
	int r = find_matches(context, notice, out->arena, &matches);

	if (r < 0)
		return r;
	if (matches.count == 0)
		return NOTICE_E_NOBODY;
	if (context->edition != GROUP_EDITION_NEWEST || !has_room(context, matches.count))
		return NOTICE_E_NOT_NOW;
	record(notice, &matches, out);
	return 0;
}

int notice_tell_hourly(const struct notice_context *context, const struct notice *notice,
		       int64_t *told_at_ms, struct effects *out) {
	int r = notice_is_recent(context, *told_at_ms) ? NOTICE_E_NOT_NOW
						       : notice_tell(context, notice, out);

	if (r == NOTICE_E_NOT_NOW)
		notice_leave_out(out, notice->type);
	if (r == 0)
		*told_at_ms = notice->at_ms;
	return MIN(r, 0);
}
