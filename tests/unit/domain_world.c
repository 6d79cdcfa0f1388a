#include "domain_world.h"

#include "domain/id.h"
#include "domain/issuance.h"
#include "domain/limits.h"
#include "unit.h"

static void derive_key(void *userdata _unused_, struct arena *arena, const char *tenant_id,
		       int32_t epoch, struct signing_key *out) {
	out->kid = arena_printf(arena, "kid-%s-%d", tenant_id, epoch);
	out->master_key_id = "master";
	memset(out->x, epoch, sizeof(out->x));
}

static char degree_revoked[] = "DegreeRevoked", degree_renewed[] = "degree.renewed_v2";
static char *const own_types[] = { degree_revoked, degree_renewed };

static const char *newest_id(void *userdata _unused_) {
	return "master";
}

/* Seals by turning bytes around, so that a test can open it by eye. */
static void seal_header(void *userdata _unused_, struct arena *arena,
			const struct webhook *webhook _unused_, const char *value,
			struct webhook_header *header) {
	size_t len = strlen(value);
	uint8_t *sealed = arena_alloc(arena, len);

	for (size_t i = 0; i < len; i++)
		sealed[i] = (uint8_t)value[len - 1 - i];
	header->sealed = sealed;
	header->sealed_len = len;
}

static int reseal_header(void *userdata _unused_, struct arena *arena _unused_,
			 const struct webhook *webhook _unused_,
			 const struct webhook_header *former, struct webhook_header *header) {
	header->sealed = former->sealed;
	header->sealed_len = former->sealed_len;
	return former->sealed[0] == '!';
}

static int seal_secret(void *userdata _unused_, struct arena *arena, const struct webhook *webhook,
		       const uint8_t public_key[PUBLIC_KEY_LEN], const char **out) {
	*out = arena_printf(arena, "sealed-%d", webhook->secret_epoch);
	return public_key[0] == 0;
}

static const struct handler_keys keys = { NULL,        derive_key,    newest_id,
					  seal_header, reseal_header, seal_secret };

int world_setup(void **state) {
	struct world *world = x_calloc(1, sizeof(*world));

	world->arena = arena_new();
	world->now_ms = WORLD_START_MS;
	world->settings.webhook_rules.catalogue = (struct event_catalogue){ own_types, 2 };
	world->settings.receipt_retention_ms = WORLD_RECEIPT_RETENTION_MS;
	world->settings.signing_key_overlap_ms = WORLD_OVERLAP_MS;
	world->settings.webhook_secret_overlap_ms = WORLD_OVERLAP_MS;
	fake_registry_init(&world->fake, world->arena);
	*state = world;
	return 0;
}

int world_teardown(void **state) {
	struct world *world = *state;

	arena_free(world->arena);
	free(world);
	return 0;
}

static struct command_envelope envelope(struct world *world) {
	return (struct command_envelope){
		.command_id = arena_printf(world->arena, "command-%d", ++world->command_number),
		.tenant_id = "t",
		.request_id = "request",
		.client_id = "client",
		.timestamp_ms = WORLD_START_MS - 1000,
	};
}

struct command world_command(struct world *world, enum operation operation) {
	static const char *events[] = { "OpenIdCredentialIssued" };

	return (struct command){
		.envelope = envelope(world),
		.operation = operation,
		.events = events,
		.event_count = 1,
		.url = "https://example.com/hook",
		.public_key = "__________________________________________8", /* 32 bytes of 0xff */
	};
}

struct command world_command_on(struct world *world, enum operation operation, const char *id) {
	struct command command = world_command(world, operation);

	command.id = id;
	return command;
}

struct issuance world_issuance(struct world *world) {
	return (struct issuance){
		.envelope = envelope(world),
		.user_id = "user",
		.credential_id = "credential-1",
		.credential_configuration_id = "configuration",
		.credential_profile = "profile",
		.format = "jwt_vc_json",
		.credential = "",
	};
}

/* An identifier is shown whole, but for one that is far beyond its limit. */
static void check_shown(const char *shown, const char *identifier) {
	if (!identifier) {
		assert_null(shown);
		return;
	}
	assert_memory_equal(shown, identifier, strlen(shown));
	assert_int_equal(strlen(shown), MIN(strlen(identifier), (size_t)SHOWN_IDENTIFIER_MAX));
}

static void check_event(const struct world *world, size_t index,
			const struct command_envelope *envelope,
			const struct command_source *source) {
	const struct analytic_event *event = &world->effects.events[index];
	struct uuid id = id_of_analytic_event(source, (int32_t)index);

	assert_int_equal(uuid_compare(&event->id, &id), 0);
	assert_int_equal(event->timestamp_ms, world->now_ms);
	assert_string_equal(event->tenant_id, envelope->tenant_id);
	check_shown(event->request_id, envelope->request_id);
	check_shown(event->client_id, envelope->client_id);
	check_shown(event->command_id, envelope->command_id);
}

static const struct analytic_event *check(struct world *world,
					  const struct command_envelope *envelope,
					  const struct command_source *source) {
	const struct analytic_event *events = world->effects.events;

	assert_true(world->effects.event_count >= 2);
	for (size_t i = 0; i < world->effects.event_count; i++)
		if (events[i].step != ANALYTIC_RESEND) /* which names its delivery's command */
			check_event(world, i, envelope, source);
	assert_int_equal(events[0].step, ANALYTIC_START);
	assert_int_equal(events[0].status, 0);
	assert_int_equal(events[0].data.kind, EVENT_DATA_NONE);
	assert_int_equal(events[1].subject, events[0].subject);
	assert_int_equal(events[1].repeat, events[0].repeat);
	assert_int_equal(events[1].step, events[1].status < 400 ? ANALYTIC_SUCCESS : ANALYTIC_FAIL);
	assert_int_equal(events[1].data.kind == EVENT_DATA_PROBLEM, events[1].status >= 400);
	for (size_t i = 2; i < world->effects.event_count; i++) {
		assert_true(events[i].step == ANALYTIC_RECEIVE ||
			    events[i].step == ANALYTIC_RESEND);
		assert_true(events[i].data.delivery.has_event_id);
	}
	return &events[1];
}

static struct handler_context context_of(struct world *world, const struct command_source *source) {
	return (struct handler_context){
		.settings = &world->settings,
		.registry = &world->fake.registry,
		.keys = &keys,
		.source = source,
		.edition = world->edition,
		.older_workers = world->older_workers,
		.may_resume = world->may_resume,
		.pending_deliveries = world->pending_deliveries,
		.now_ms = world->now_ms,
	};
}

static struct command_source next_source(struct world *world, const char *topic) {
	return (struct command_source){ .cluster_id = "cluster",
					.topic = topic,
					.offset = world->offset++ };
}

const struct analytic_event *world_handle(struct world *world, const struct command *command) {
	struct command_source source = next_source(world, "webhook-admin");
	struct handler_context context = context_of(world, &source);

	effects_init(&world->effects, world->arena);
	assert_int_equal(handle_command(&context, command, &world->effects), world->fake.error);
	if (world->fake.error)
		return NULL;
	fake_registry_apply(&world->fake, &world->effects);
	return check(world, &command->envelope, &source);
}

void world_run(struct world *world, const struct command *command) {
	struct command_source source = next_source(world, "webhook-admin");
	struct handler_context context = context_of(world, &source);

	effects_init(&world->effects, world->arena);
	assert_int_equal(handle_command(&context, command, &world->effects), 0);
	fake_registry_apply(&world->fake, &world->effects);
}

const struct analytic_event *world_issue(struct world *world, const struct issuance *issuance) {
	struct command_source source = next_source(world, "credential-issuance");
	struct handler_context context = context_of(world, &source);

	effects_init(&world->effects, world->arena);
	assert_int_equal(handle_issuance(&context, issuance, &world->effects), world->fake.error);
	if (world->fake.error)
		return NULL;
	fake_registry_apply(&world->fake, &world->effects);
	return check(world, &issuance->envelope, &source);
}

const struct analytic_event *world_publish(struct world *world, const struct event_command *event) {
	struct command_source source = next_source(world, "webhook-events");
	struct handler_context context = context_of(world, &source);

	effects_init(&world->effects, world->arena);
	assert_int_equal(handle_event(&context, event, &world->effects), world->fake.error);
	if (world->fake.error)
		return NULL;
	fake_registry_apply(&world->fake, &world->effects);
	return check(world, &event->envelope, &source);
}

struct event_command world_event(struct world *world) {
	return (struct event_command){ .envelope = envelope(world),
				       .event_type = "DegreeRevoked",
				       .payload = "{\"reason\": 1.0}" };
}

void world_assert_outcome(const struct analytic_event *outcome, const char *type, int status) {
	assert_string_equal(analytic_event_type(outcome->subject, outcome->step), type);
	assert_int_equal(outcome->status, status);
	assert_false(outcome->repeat);
}

const char *world_create(struct world *world, const char *tenant_id) {
	struct command command = world_command(world, OPERATION_CREATE_WEBHOOK);
	char *id = arena_alloc(world->arena, UUID_TEXT_SIZE);

	command.envelope.tenant_id = tenant_id;
	uuid_format(&world_handle(world, &command)->data.webhook.id, id);
	return id;
}

char *world_filled(struct world *world, size_t len) {
	char *out = arena_zalloc(world->arena, len + 1);

	return memset(out, 'x', len);
}
