/*
 * One command while it is handled: what the handlers of all operations share. Inside `domain` only.
 *
 *     handling_run ── START ── receipt? ──► answered before: the same again, or 409
 *                                 │
 *                                 └─ check the envelope ── the operation ── SUCCESS or FAIL ──
 * receipt
 *
 * An operation validates its fields with the functions of validation.h, gives up with
 * handling_refused where one was wrong, and answers exactly once. It makes changes only when it
 * answers with success.
 */
#pragma once

#include "domain/handler.h"
#include "domain/validation.h"

struct handling {
	const struct handler_context *context;
	const struct command_envelope *envelope;
	enum analytic_subject subject;
	struct effects *effects;
	size_t first_event; /* START's index in effects->events; the outcome's is the next */
	struct validation validation;
	int32_t status; /* the answer; 0: none yet */
	struct event_data data;
};

/* How a command is answered once (R12). A read changes nothing, so that a repeat may read again: it
 * leaves no receipt, which would be its whole page. */
struct receipt_rule {
	bool is_kept;
	bool is_read; /* none is written; one of another command is still a conflict */
	int64_t retention_ms;
	uint8_t fingerprint[16]; /* of the operation and its fields */
};

typedef int (*operation_fn)(struct handling *handling, const void *command);

/* Handles `command` from START to its receipt. Returns 0, or the negative errno of the registry. */
int handling_run(struct handling *handling, const struct receipt_rule *rule, operation_fn operation,
		 const void *command) _must_check_;

void handling_answer(struct handling *handling, int32_t status, const struct event_data *data);
void handling_answer_problem(struct handling *handling, const struct problem *problem);
/* Answers 400 and returns true where the validation found something. */
bool handling_refused(struct handling *handling);

/* Whether so many `more` would be past the limit, where the tenant has `count`. Answers 409, of
 * deliveries 429, then. */
bool handling_exceeds(struct handling *handling, enum tenant_limit limit, int64_t count,
		      int64_t more);

/* Adds an event of a delivery that this command records. */
void handling_add_received(struct handling *handling, const struct delivery *delivery);
