/* Notices: what a tenant's own webhooks are told of its webhooks and deliveries (R14). */
#include "domain/endpoint_report.h"
#include "domain/id.h"
#include "domain/limits.h"
#include "domain_world.h"
#include "unit.h"

#define ABOUT_URL "https://a.example:8443/hook?token=secret"

enum { MINUTE_MS = 60 * 1000, NOTIFY_MS = 15 * MINUTE_MS, DAY_MS = 24 * 60 * MINUTE_MS };

static const struct outcome_settings settings = { .endpoint_failing_notify_after_ms = NOTIFY_MS,
						  .endpoint_disable_after_ms = 5 * DAY_MS };

static const char *all_types[] = { "WebhookFailing", "WebhookRecovered", "WebhookDisabled",
				   "DeliveryDead" };
static const char *issued[] = { "OpenIdCredentialIssued" };

struct types {
	const char **items;
	size_t count;
};
#define ALL ((struct types){ all_types, ARRAY_LEN(all_types) })
#define ONE(index) ((struct types){ all_types + (index), 1 })
#define ISSUED ((struct types){ issued, 1 })

static struct uuid subscribe(struct world *world, const char *url, struct types types,
			     const struct webhook_filter *filter) {
	struct command command = world_command(world, OPERATION_CREATE_WEBHOOK);
	const struct analytic_event *outcome;

	command.url = url;
	command.events = types.items;
	command.event_count = types.count;
	command.filter = filter;
	outcome = world_handle(world, &command);
	world_assert_outcome(outcome, "WEBHOOK_CREATE_SUCCESS", 201);
	return outcome->data.webhook.id;
}

static struct webhook *find(struct world *world, const struct uuid *id) {
	return &fake_registry_find(
		    &world->fake,
		    &(struct state_key){ .kind = STATE_WEBHOOK, .tenant_id = "t", .id = *id })
		    ->webhook;
}

static struct notice_context context_of(struct world *world) {
	return (struct notice_context){
		.registry = &world->fake.registry,
		.edition = world->edition,
		.pending_deliveries = world->pending_deliveries,
		.pending_max = world->settings.tenant_max[TENANT_LIMIT_PENDING_DELIVERIES],
		.now_ms = world->now_ms
	};
}

static void report(struct world *world, const struct uuid *id, struct endpoint_report report) {
	struct notice_context context = context_of(world);

	report.webhook_id = *id;
	report.tenant_id = "t";
	report.url = find(world, id)->url;
	effects_init(&world->effects, world->arena);
	assert_int_equal(
	    handle_endpoint_report(&settings, &context, find(world, id), &report, &world->effects),
	    0);
	fake_registry_apply(&world->fake, &world->effects);
}

static struct delivery delivery_to(struct world *world, const struct uuid *webhook_id,
				   const char *type) {
	return (struct delivery){ .id = { { 1, (uint8_t)++world->offset } },
				  .event_id = { { 2 } },
				  .webhook_id = *webhook_id,
				  .tenant_id = "t",
				  .command_id = "c-1",
				  .request_id = "r-1",
				  .traceparent = "00-trace",
				  .tracestate = "rojo=1",
				  .event_type = type,
				  .subject = "degree-1",
				  .body = "{}",
				  .body_len = 2,
				  .created_at_ms = WORLD_START_MS,
				  .next_attempt_at_ms = WORLD_START_MS };
}

/* Its last attempt ends: no further one is in the schedule. */
static void end(struct world *world, const struct delivery *delivery, int32_t status) {
	struct attempt_result result = { .reason = status == 200 ? ATTEMPT_OK : ATTEMPT_STATUS,
					 .status = status,
					 .retry_after_ms = -1,
					 .finished_at_ms = world->now_ms };
	struct notice_context context = context_of(world);

	effects_init(&world->effects, world->arena);
	assert_int_equal(handle_outcome(&settings, &context, delivery, &result, &world->effects),
			 world->fake.error);
	fake_registry_apply(&world->fake, &world->effects);
}

static bool is_notice(const struct state_record *record) {
	return record && record->kind == STATE_DELIVERY &&
	       record->delivery.status == DELIVERY_PENDING &&
	       event_type_is_notice(record->delivery.event_type);
}

/* The notices of the last effects: the url's first letter and the type of each. */
static const char *told(struct world *world) {
	struct buffer out = BUFFER_INIT(4096);
	const char *text;

	for (size_t i = 0; i < world->effects.change_count; i++) {
		const struct state_record *record = world->effects.changes[i].record;

		if (is_notice(record))
			buffer_printf(
			    &out, "%s%c:%s", out.len ? " " : "",
			    find(world, &record->delivery.webhook_id)->url[sizeof("https://") - 1],
			    record->delivery.event_type);
	}
	text = arena_strdup(world->arena, out.len ? out.data : "");
	buffer_destroy(&out);
	return text;
}

static const struct delivery *recorded(const struct world *world) {
	for (size_t i = 0; i < world->effects.change_count; i++) {
		const struct state_record *record = world->effects.changes[i].record;

		if (is_notice(record))
			return &record->delivery;
	}
	return NULL;
}

/* Stories of one webhook, and of who is told. */

enum what {
	FAILS,
	WELL,
	SINGLE, /* its breaker is closed, and an attempt failed */
	GONE,
	DIES,
	REFUSED, /* a delivery is answered with 410 */
	NOTICE_DIES,
	UPDATED, /* by the tenant, as `disabled: false` */
	LET_GO,  /* by the tenant, as `disabled: true` */
};

#define STEPS_MAX 12
#define ENDED { 0, FAILS, NULL, 0 }

struct step {
	int after_minutes;
	enum what what;
	const char *told;
	unsigned left_out;
};

static const struct {
	const char *name;
	struct step steps[STEPS_MAX];
} stories[] = {
	{ "a failure is told after a while, once, and its end",
	  { { 0, FAILS, "", 0 },
	    { 14, FAILS, "", 0 },
	    { 1, FAILS, "w:WebhookFailing", 0 },
	    { 300, FAILS, "", 0 },
	    { 1, WELL, "w:WebhookRecovered", 0 },
	    { 300, WELL, "", 0 },
	    ENDED } },
	{ "a short one is not, nor is its end",
	  { { 0, FAILS, "", 0 }, { 14, FAILS, "", 0 }, { 9, WELL, "", 0 }, ENDED } },
	{ "the next one waits until the hour is over",
	  { { 0, FAILS, "", 0 },
	    { 15, FAILS, "w:WebhookFailing", 0 },
	    { 1, WELL, "w:WebhookRecovered", 0 },
	    { 1, FAILS, "", 0 },
	    { 58, FAILS, "", 0 },
	    { 1, FAILS, "w:WebhookFailing", 0 },
	    { 0, WELL, "w:WebhookRecovered", 0 },
	    ENDED } },
	{ "one that ends before that is left out",
	  { { 0, FAILS, "", 0 },
	    { 15, FAILS, "w:WebhookFailing", 0 },
	    { 1, WELL, "w:WebhookRecovered", 0 },
	    { 1, FAILS, "", 0 },
	    { 20, FAILS, "", 0 },
	    { 1, WELL, "", 1U << BUILTIN_WEBHOOK_FAILING },
	    ENDED } },
	{ "an update of the webhook does not end it, a success does",
	  { { 0, FAILS, "", 0 },
	    { 15, FAILS, "w:WebhookFailing", 0 },
	    { 1, UPDATED, "", 0 },
	    { 1, SINGLE, "", 0 },
	    { 1, WELL, "w:WebhookRecovered", 0 },
	    ENDED } },
	{ "gone",
	  { { 0, GONE, "w:WebhookDisabled", 0 },
	    { 1, UPDATED, "", 0 },
	    { 58, GONE, "", 1U << BUILTIN_WEBHOOK_DISABLED },
	    { 0, UPDATED, "", 0 },
	    { 1, GONE, "w:WebhookDisabled", 0 },
	    { 9, GONE, "", 0 },
	    ENDED } },
	{ "disabled after failing for long, which is no recovery",
	  { { 0, FAILS, "", 0 },
	    { 15, FAILS, "w:WebhookFailing", 0 },
	    { 5 * 24 * 60, FAILS, "w:WebhookDisabled", 0 },
	    { 1, UPDATED, "", 0 },
	    { 1, WELL, "", 0 },
	    ENDED } },
	{ "the tenant's own hand is not told",
	  { { 0, FAILS, "", 0 }, { 1, LET_GO, "", 0 }, { 1, DIES, "w:DeliveryDead", 0 }, ENDED } },
	{ "deaths of deliveries",
	  { { 0, DIES, "w:DeliveryDead", 0 },
	    { 59, DIES, "", 1U << BUILTIN_DELIVERY_DEAD },
	    { 1, REFUSED, "w:DeliveryDead", 0 },
	    ENDED } },
	{ "that of a notice's delivery is not told",
	  { { 0, NOTICE_DIES, "", 0 }, { 0, DIES, "w:DeliveryDead", 0 }, ENDED } },
	{ "each type has its hour",
	  { { 0, FAILS, "", 0 },
	    { 15, FAILS, "w:WebhookFailing", 0 },
	    { 0, DIES, "w:DeliveryDead", 0 },
	    { 0, GONE, "w:WebhookDisabled", 0 },
	    ENDED } },
};

static void update(struct world *world, const struct uuid *id, bool disabled) {
	char text[UUID_TEXT_SIZE];
	struct command command;

	uuid_format(id, text);
	command = world_command_on(world, OPERATION_UPDATE_WEBHOOK, text);
	command.url = ABOUT_URL;
	command.disabled = disabled;
	world_assert_outcome(world_handle(world, &command), "WEBHOOK_UPDATE_SUCCESS", 200);
}

static void take(struct world *world, const struct uuid *id, enum what what,
		 int64_t *failing_since_ms) {
	struct delivery delivery =
	    delivery_to(world, id, what == NOTICE_DIES ? "WebhookFailing" : "DegreeRevoked");

	switch (what) {
	case FAILS:
		*failing_since_ms = *failing_since_ms ? *failing_since_ms : world->now_ms;
		report(world, id,
		       (struct endpoint_report){ .failing_since_ms = *failing_since_ms,
						 .last_status = 503,
						 .last_reason = "status-503" });
		return;
	case WELL:
	case SINGLE:
	case GONE:
		*failing_since_ms = 0;
		report(world, id,
		       (struct endpoint_report){ .is_gone = what == GONE,
						 .has_succeeded = what == WELL });
		return;
	case DIES:
	case NOTICE_DIES:
		end(world, &delivery, 500);
		return;
	case REFUSED:
		end(world, &delivery, 410);
		return;
	case UPDATED:
	case LET_GO:
		*failing_since_ms = 0;
		update(world, id, what == LET_GO);
		return;
	}
}

static void stories_are_told(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
		int64_t failing_since_ms = 0;
		struct world *world;
		struct uuid about;
		void *own;

		print_message("%s\n", stories[i].name);
		world_setup(&own);
		world = own;
		about = subscribe(world, ABOUT_URL, ISSUED, NULL);
		subscribe(world, "https://a.example:8443/other", ALL, NULL);
		subscribe(world, "https://w.example/", ALL, NULL);
		subscribe(world, "https://i.example/", ISSUED, NULL);
		for (const struct step *step = stories[i].steps; step->told; step++) {
			world->now_ms += (int64_t)step->after_minutes * MINUTE_MS;
			take(world, &about, step->what, &failing_since_ms);
			assert_string_equal(told(world), step->told);
			assert_int_equal(world->effects.left_out, step->left_out);
			assert_int_equal(world->effects.told != 0, *step->told != '\0');
		}
		world_teardown(&own);
	}
}

/* Who is told. */

static const char *other_subject[] = { "another webhook" };

static void to_whom(void **state) {
	struct world *world = *state;
	struct webhook_filter filter = { .subjects = { other_subject, 1 } };
	struct uuid about = subscribe(world, ABOUT_URL, ALL, NULL);
	struct delivery delivery = delivery_to(world, &about, "DegreeRevoked");
	const struct {
		const char *url;
		struct types types;
		const struct webhook_filter *filter;
	} rows[] = {
		{ "http://a.example:8443/", ALL, NULL }, /* the same host and port */
		{ "https://a.example/", ALL, NULL },     { "https://b.example:8443/", ALL, NULL },
		{ "https://c.example/", ONE(3), NULL },  { "https://d.example/", ONE(0), NULL },
		{ "https://f.example/", ALL, &filter },
	};

	world->settings.webhook_rules.url_policy.allow_http = true;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		world->now_ms++; /* they are told in the order of their creation */
		subscribe(world, rows[i].url, rows[i].types, rows[i].filter);
	}
	end(world, &delivery, 500);
	assert_string_equal(told(world), "a:DeliveryDead b:DeliveryDead c:DeliveryDead");
	assert_int_equal(world->effects.filtered, 1);
	print_message("the filter's subject is the webhook that it speaks about\n");
	world->now_ms += 60 * MINUTE_MS;
	other_subject[0] = arena_alloc(world->arena, UUID_TEXT_SIZE);
	uuid_format(&about, (char *)(uintptr_t)other_subject[0]);
	end(world, &delivery, 500);
	assert_string_equal(told(world),
			    "a:DeliveryDead b:DeliveryDead c:DeliveryDead f:DeliveryDead");
}

static void nobody_is_told(void **state) {
	struct world *world = *state;
	struct uuid about = subscribe(world, ABOUT_URL, ALL, NULL), gone = { .bytes = { 9 } };
	struct delivery delivery = delivery_to(world, &about, "DegreeRevoked"),
			lost = delivery_to(world, &gone, "DegreeRevoked");

	end(world, &delivery, 500);
	assert_string_equal(told(world), "");
	assert_int_equal(world->effects.left_out, 0);
	assert_int_equal(world->effects.change_count, 1);
	print_message("of a delivery whose webhook was deleted\n");
	subscribe(world, "https://w.example/", ALL, NULL);
	end(world, &lost, 500);
	assert_string_equal(told(world), "");
	print_message("of a success\n");
	end(world, &delivery, 200);
	assert_string_equal(told(world), "");
	print_message("and with the next one they are, though some were not subscribed before\n");
	end(world, &delivery, 500);
	assert_string_equal(told(world), "w:DeliveryDead");
}

/* What cannot be told now is told later where there is a later, and else left out. */
static void not_now(void **state) {
	static const struct {
		const char *name;
		enum group_edition edition;
		int64_t pending, max;
		bool is_told;
	} rows[] = {
		{ "a worker is older (R13)", GROUP_EDITION_SOME_OLDER, 0, 0, false },
		{ "too many deliveries are pending", GROUP_EDITION_NEWEST, 10, 10, false },
		{ "one more may be", GROUP_EDITION_NEWEST, 9, 10, true },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t failing_since_ms = 0;
		struct world *world;
		struct uuid about;
		void *own;

		print_message("%s\n", rows[i].name);
		world_setup(&own);
		world = own;
		about = subscribe(world, ABOUT_URL, ISSUED, NULL);
		subscribe(world, "https://w.example/", ALL, NULL);
		take(world, &about, FAILS, &failing_since_ms);
		world->now_ms += NOTIFY_MS;
		world->edition = rows[i].edition;
		world->pending_deliveries = rows[i].pending;
		world->settings.tenant_max[TENANT_LIMIT_PENDING_DELIVERIES] = rows[i].max;
		take(world, &about, DIES, &failing_since_ms);
		assert_string_equal(told(world), rows[i].is_told ? "w:DeliveryDead" : "");
		assert_int_equal(world->effects.left_out,
				 rows[i].is_told ? 0 : 1U << BUILTIN_DELIVERY_DEAD);
		take(world, &about, FAILS, &failing_since_ms);
		assert_string_equal(told(world), rows[i].is_told ? "w:WebhookFailing" : "");
		assert_int_equal(world->effects.left_out, 0);
		world->edition = GROUP_EDITION_NEWEST;
		world->pending_deliveries = 0;
		take(world, &about, FAILS, &failing_since_ms);
		assert_string_equal(told(world), rows[i].is_told ? "" : "w:WebhookFailing");
		world->edition = rows[i].edition;
		world->pending_deliveries = rows[i].pending;
		take(world, &about, WELL, &failing_since_ms);
		assert_string_equal(told(world), rows[i].is_told ? "w:WebhookRecovered" : "");
		world->edition = GROUP_EDITION_NEWEST;
		world->pending_deliveries = 0;
		take(world, &about, WELL, &failing_since_ms);
		assert_string_equal(told(world), rows[i].is_told ? "" : "w:WebhookRecovered");
		world_teardown(&own);
	}
}

static void no_more_than_so_many_are_told(void **state) {
	struct world *world = *state;
	struct uuid about = subscribe(world, ABOUT_URL, ISSUED, NULL);
	struct delivery delivery = delivery_to(world, &about, "DegreeRevoked");
	size_t notices = 0;

	for (int n = 0; n < NOTICE_FANOUT_MAX + 1; n++)
		subscribe(world, arena_printf(world->arena, "https://w%d.example/", n), ALL, NULL);
	end(world, &delivery, 500);
	for (size_t i = 0; i < world->effects.event_count; i++)
		notices += world->effects.events[i].step == ANALYTIC_RECEIVE;
	assert_int_equal(notices, NOTICE_FANOUT_MAX);
}

/* A clock that is a little behind tells nothing twice; one that was far ahead is not believed. */
static void clocks_differ(void **state) {
	struct world *world = *state;
	struct uuid about = subscribe(world, ABOUT_URL, ISSUED, NULL);
	int64_t failing_since_ms = 0;

	subscribe(world, "https://w.example/", ALL, NULL);
	take(world, &about, DIES, &failing_since_ms);
	assert_string_equal(told(world), "w:DeliveryDead");
	world->now_ms -= 59 * MINUTE_MS;
	take(world, &about, DIES, &failing_since_ms);
	assert_string_equal(told(world), "");
	world->now_ms -= MINUTE_MS;
	take(world, &about, DIES, &failing_since_ms);
	assert_string_equal(told(world), "w:DeliveryDead");
}

static void a_failure_of_the_registry_is_forwarded(void **state) {
	struct world *world = *state;
	struct uuid about = subscribe(world, ABOUT_URL, ISSUED, NULL);
	struct delivery delivery = delivery_to(world, &about, "DegreeRevoked");

	world->fake.error = -5;
	end(world, &delivery, 500);
}

/* What is told. */

/* "{id}" and the like stand for the ids of the event, the delivery and the webhooks. */
static char *filled(struct world *world, const char *text, const struct uuid *about) {
	const struct delivery *delivery = recorded(world);
	const struct {
		const char *name;
		const struct uuid *id;
	} ids[] = { { "{event}", &delivery->event_id },
		    { "{delivery}", &delivery->id },
		    { "{watcher}", &delivery->webhook_id },
		    { "{about}", about } };
	struct buffer out = BUFFER_INIT(4096);
	char id[UUID_TEXT_SIZE], *copy;

	while (*text) {
		size_t i = 0;

		while (i < ARRAY_LEN(ids) && strncmp(text, ids[i].name, strlen(ids[i].name)) != 0)
			i++;
		if (i == ARRAY_LEN(ids)) {
			buffer_append_char(&out, *text++);
			continue;
		}
		uuid_format(ids[i].id, id);
		buffer_append_string(&out, id);
		text += strlen(ids[i].name);
	}
	copy = arena_strdup(world->arena, out.data);
	buffer_destroy(&out);
	return copy;
}

static void assert_body(struct world *world, const char *event, const struct uuid *about) {
	const char *body = recorded(world)->body;

	body = strstr(body, "\"event\":");
	assert_non_null(body);
	assert_string_equal(body + sizeof("\"event\":") - 1, filled(world, event, about));
}

#define HEAD(type, minute)                                                                         \
	"{\"id\":\"{event}\",\"type\":\"" type "\",\"subject\":\"{about}\",\"timestamp\":"         \
	"\"2026-01-31T12:" minute ":00.000Z\",\"payload\":{\"webhookId\":\"{about}\","             \
	"\"endpoint\":\"https://a.example:8443\","

static void bodies(void **state) {
	struct world *world = *state;
	struct uuid about = subscribe(world, ABOUT_URL, ISSUED, NULL);
	struct delivery delivery = delivery_to(world, &about, "DegreeRevoked");
	int64_t failing_since_ms = 0;

	delivery.id = (struct uuid){ { 1 } };
	subscribe(world, "https://w.example/", ALL, NULL);
	take(world, &about, FAILS, &failing_since_ms);
	world->now_ms += NOTIFY_MS;
	take(world, &about, FAILS, &failing_since_ms);
	assert_body(world,
		    HEAD("WebhookFailing",
			 "15") "\"failingSince\":\"2026-01-31T12:00:00.000Z\",\"lastStatus\":503,"
			       "\"lastReason\":\"status-503\"}}}",
		    &about);
	world->now_ms += MINUTE_MS;
	take(world, &about, WELL, &failing_since_ms);
	assert_body(
	    world,
	    HEAD("WebhookRecovered", "16") "\"failingSince\":\"2026-01-31T12:00:00.000Z\","
					   "\"recoveredAt\":\"2026-01-31T12:16:00.000Z\"}}}",
	    &about);
	end(world, &delivery, 500);
	assert_body(world,
		    HEAD("DeliveryDead",
			 "16") "\"deliveryId\":\"01000000-0000-0000-0000-000000000000\","
			       "\"eventId\":\"02000000-0000-0000-0000-000000000000\","
			       "\"eventType\":\"DegreeRevoked\",\"subject\":\"degree-1\","
			       "\"commandId\":\"c-1\",\"createdAt\":\"2026-01-31T12:00:00.000Z\","
			       "\"attemptCount\":1,\"endedAt\":\"2026-01-31T12:16:00.000Z\","
			       "\"lastStatus\":500,\"lastReason\":\"status-500\"}}}",
		    &about);
	report(world, &about,
	       (struct endpoint_report){
		   .is_gone = true, .last_status = 410, .last_reason = "status-410" });
	assert_body(world,
		    HEAD("WebhookDisabled",
			 "16") "\"reason\":\"gone\",\"disabledAt\":\"2026-01-31T12:16:00.000Z\","
			       "\"lastStatus\":410,\"lastReason\":\"status-410\"}}}",
		    &about);
}

/* R11: the same cause has the same ids, another one has others. */
static void ids_follow_from_the_cause(void **state) {
	struct world *world = *state;
	struct uuid about = subscribe(world, ABOUT_URL, ISSUED, NULL), event_id, id;
	struct delivery delivery = delivery_to(world, &about, "DegreeRevoked");

	subscribe(world, "https://w.example/", ALL, NULL);
	end(world, &delivery, 500);
	event_id = recorded(world)->event_id;
	id = recorded(world)->id;
	find(world, &about)->told.dead_at_ms = 0; /* as if that had been undone */
	world->now_ms++;
	end(world, &delivery, 500);
	assert_memory_equal(&recorded(world)->event_id, &event_id, sizeof(event_id));
	assert_memory_equal(&recorded(world)->id, &id, sizeof(id));
	print_message("in the delivery's next life they are others\n");
	find(world, &about)->told.dead_at_ms = 0;
	delivery.next_attempt_at_ms++;
	end(world, &delivery, 500);
	assert_memory_not_equal(&recorded(world)->event_id, &event_id, sizeof(event_id));
}

/* A notice of a delivery belongs to the story of its command. */
static void its_delivery_and_its_event(void **state) {
	struct world *world = *state;
	struct uuid about = subscribe(world, ABOUT_URL, ISSUED, NULL);
	struct delivery delivery = delivery_to(world, &about, "DegreeRevoked");
	const struct analytic_event *event;
	char text[UUID_TEXT_SIZE];

	subscribe(world, "https://w.example/", ALL, NULL);
	end(world, &delivery, 500);
	uuid_format(&about, text);
	assert_string_equal(recorded(world)->subject, text);
	assert_string_equal(recorded(world)->command_id, "c-1");
	assert_string_equal(recorded(world)->request_id, "r-1");
	assert_string_equal(recorded(world)->traceparent, "00-trace");
	assert_string_equal(recorded(world)->tracestate, "rojo=1");
	assert_int_equal(recorded(world)->next_attempt_at_ms, world->now_ms);
	assert_int_equal(world->effects.event_count, 2);
	event = &world->effects.events[1];
	assert_string_equal(analytic_event_type(event->subject, event->step),
			    "WEBHOOK_EVENT_RECEIVE");
	assert_string_equal(event->command_id, "c-1");
	assert_string_equal(event->data.delivery.subject, text);
	assert_string_equal(event->data.delivery.event_type, "DeliveryDead");
	assert_memory_equal(&event->data.delivery.delivery_id, &recorded(world)->id,
			    sizeof(struct uuid));
	print_message("one of a webhook is found by its event's id\n");
	report(world, &about, (struct endpoint_report){ .is_gone = true });
	uuid_format(&recorded(world)->event_id, text);
	assert_string_equal(recorded(world)->command_id, text);
	assert_null(recorded(world)->request_id);
}

static void its_types_are_subscribed_to_and_never_published(void **state) {
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_LEN(all_types); i++) {
		struct event_command event = world_event(world);
		struct command command = world_command(world, OPERATION_CREATE_WEBHOOK);

		event.event_type = all_types[i];
		world_assert_outcome(world_publish(world, &event), "WEBHOOK_EVENT_PUBLISH_FAIL",
				     400);
		command.events = &all_types[i];
		world->edition = GROUP_EDITION_SOME_OLDER;
		world_assert_outcome(world_handle(world, &command), "WEBHOOK_CREATE_FAIL", 503);
		world->edition = GROUP_EDITION_NEWEST;
	}
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stories_are_told),
		TEST(to_whom),
		TEST(nobody_is_told),
		cmocka_unit_test(not_now),
		TEST(no_more_than_so_many_are_told),
		TEST(clocks_differ),
		TEST(a_failure_of_the_registry_is_forwarded),
		TEST(bodies),
		TEST(ids_follow_from_the_cause),
		TEST(its_delivery_and_its_event),
		TEST(its_types_are_subscribed_to_and_never_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
