/*
 * The run of one command through its operation, shared by the handlers of all operations. Inside
 * `domain` only.
 *
 *      START ── receipt? ── yes ──► the recorded answer again, or 409
 *                  │ no
 *                  └─► check the envelope ──► the operation ──► SUCCESS or FAIL ──► receipt
 *
 * An operation validates its fields with the functions of validation.h, returns when
 * command_run_refused says that one was wrong, and answers exactly once. It makes changes only when
 * it answers with success.
 *
 * One operation, RecoverDeliveries, may have more to do than a turn bears. It then answers with
 * COMMAND_UNDERWAY, which nobody is told but who repeats the command; its receipt holds what was
 * done, and effects->resume_ms has the command come again. Only the last turn's answer is an event.
 * Where that is a refusal, what the earlier turns did stays.
 */
#pragma once

#include "domain/effects.h"
#include "domain/handler_context.h"
#include "domain/validation.h"

enum {
	COMMAND_UNDERWAY = 202,
	/* How long a receipt holds at least from one turn to the next, whatever its retention:
	 * without it the command would begin again. In ms. */
	COMMAND_UNDERWAY_FOR_MS = 7 * 24 * 3600 * 1000,
};

struct command_run {
	const struct handler_context *context;
	const struct command_envelope *envelope;
	enum analytic_subject subject;
	struct effects *effects;
	size_t first_event; /* START's index in effects->events; of a command that goes on, the
			       outcome's */
	size_t outcome;     /* the outcome's */
	const struct receipt *former; /* of its earlier turns; NULL: this is its first */
	struct validation validation;
	int32_t status; /* the answer's; 0: none yet */
	struct event_data data;
};

/* How a command is answered once (R12). A read changes nothing and is simply read again when it
 * is repeated: it leaves no receipt, which would hold its whole page. */
struct receipt_rule {
	bool is_kept;
	bool resumes;     /* the command goes on where its receipt says that it left off */
	bool leaves_none; /* writes no receipt; another command's receipt is still a conflict */
	int64_t retention_ms;
	uint8_t fingerprint[16]; /* hash of the operation and its fields */
};

typedef int (*operation_fn)(struct command_run *run, const void *command);

/* Handles `command` from START to its receipt. Returns 0, or the negative errno of the registry. */
int command_run_perform(struct command_run *run, const struct receipt_rule *rule,
			operation_fn operation, const void *command) _must_check_;

void command_run_answer(struct command_run *run, int32_t status, const struct event_data *data);
void command_run_answer_problem(struct command_run *run, const struct problem *problem);
/* Answers 400 and returns true where the validation found a fault. */
bool command_run_refused(struct command_run *run);

/* Whether `more` beside the tenant's `count` would exceed the limit. If so, answers 409, or 429
 * for deliveries. */
bool command_run_exceeds(struct command_run *run, enum tenant_limit limit, int64_t count,
			 int64_t more);

/* Adds the event of a delivery that this command records. */
void command_run_add_received(struct command_run *run, const struct delivery *delivery);
