/* A worker's state and time in a test of the handlers: each command is handled, checked for its
 * form, and applied. */
#pragma once

#include "domain/event_publishing.h"
#include "domain/handler.h"
#include "fake_registry.h"

struct world {
	struct arena *arena;
	struct fake_registry fake;
	struct handler_settings settings;
	int64_t now_ms;
	enum group_edition edition;
	const char *older_workers;
	bool may_resume;
	int64_t pending_deliveries; /* of the tenant, as the pipeline would say */
	int64_t offset;             /* of the next command */
	struct effects effects;     /* of the last one */
	int command_number;
};

/* A time that is easy to recognise: 2026-01-31T12:00:00.000Z. */
enum { WORLD_RECEIPT_RETENTION_MS = 24 * 3600 * 1000, WORLD_OVERLAP_MS = 3600 * 1000 };
#define WORLD_START_MS INT64_C(1769860800000)

/* cmocka's setup and teardown: `*state` is a struct world. */
int world_setup(void **state);
int world_teardown(void **state);

/* A command of the tenant "t" with an id of its own. */
struct command world_command(struct world *world, enum operation operation);
/* The same on the webhook of that id. */
struct command world_command_on(struct world *world, enum operation operation, const char *id);
struct issuance world_issuance(struct world *world);

/* Handles and applies. Returns the outcome event, after checking that START stands before it and
 * both belong to the command. */
const struct analytic_event *world_handle(struct world *world, const struct command *command);
/* Handles and applies, and checks nothing: of a command that goes on in a later turn. */
void world_run(struct world *world, const struct command *command);
const struct analytic_event *world_issue(struct world *world, const struct issuance *issuance);
/* An event of one's own, of the type "DegreeRevoked"; "degree.renewed_v2" is the other one. */
struct event_command world_event(struct world *world);
const struct analytic_event *world_publish(struct world *world, const struct event_command *event);

/* An outcome that is no repetition. */
void world_assert_outcome(const struct analytic_event *outcome, const char *type, int status);

/* The id of a new webhook of `tenant_id` that subscribes to the issued event, as text. */
const char *world_create(struct world *world, const char *tenant_id);
/* A text of that length. */
char *world_filled(struct world *world, size_t len);
