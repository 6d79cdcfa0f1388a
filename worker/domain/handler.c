#include "domain/handler.h"

#include "base/invariant.h"
#include "domain/field_hash.h"
#include "domain/operations.h"

struct operation_rule {
	enum analytic_subject subject;
	operation_fn operation;
};

/* The command's faults are its answer. */
static int operation_unknown(struct command_run *run, const void *userdata _unused_) {
	bool is_refused = command_run_refused(run);

	invariant(is_refused, "a command without an operation is refused");
	return 0;
}

static const struct operation_rule rules[OPERATION_COUNT + 1] = {
	[OPERATION_CREATE_WEBHOOK] = { ANALYTIC_WEBHOOK_CREATE, operation_create_webhook },
	[OPERATION_RETRIEVE_WEBHOOKS] = { ANALYTIC_WEBHOOK_RETRIEVE_LIST,
					  operation_retrieve_webhooks },
	[OPERATION_RETRIEVE_WEBHOOK] = { ANALYTIC_WEBHOOK_RETRIEVE, operation_retrieve_webhook },
	[OPERATION_UPDATE_WEBHOOK] = { ANALYTIC_WEBHOOK_UPDATE, operation_update_webhook },
	[OPERATION_DELETE_WEBHOOK] = { ANALYTIC_WEBHOOK_DELETE, operation_delete_webhook },
	[OPERATION_TEST_WEBHOOK] = { ANALYTIC_WEBHOOK_TEST, operation_test_webhook },
	[OPERATION_ROTATE_SIGNING_KEY] = { ANALYTIC_WEBHOOK_KEY_ROTATE,
					   operation_rotate_signing_key },
	[OPERATION_RECOVER_DELIVERIES] = { ANALYTIC_WEBHOOK_RECOVER, operation_recover_deliveries },
	[OPERATION_RETRIEVE_SECRET] = { ANALYTIC_WEBHOOK_SECRET_RETRIEVE,
					operation_retrieve_secret },
	[OPERATION_ROTATE_SECRET] = { ANALYTIC_WEBHOOK_SECRET_ROTATE, operation_rotate_secret },
	[OPERATION_RESEND_DELIVERY] = { ANALYTIC_WEBHOOK_DELIVERY_RESEND,
					operation_resend_delivery },
	[OPERATION_UNKNOWN] = { ANALYTIC_WEBHOOK_COMMAND, operation_unknown },
};

static void hash_texts(struct field_hash *hash, const char *const *texts, size_t count) {
	field_hash_add_int(hash, (int64_t)count);
	for (size_t i = 0; i < count; i++)
		field_hash_add_text(hash, texts[i]);
}

static void hash_list(struct field_hash *hash, const struct text_list *list) {
	hash_texts(hash, list->items, list->count);
}

static void hash_filter(struct field_hash *hash, const struct webhook_filter *filter) {
	hash_list(hash, &filter->credential_configuration_ids);
	hash_list(hash, &filter->formats);
	hash_list(hash, &filter->credential_profiles);
	hash_list(hash, &filter->subjects);
}

/* Without the values: the hash stands in a receipt, where a guess could be tried against it. */
static void hash_headers(struct field_hash *hash, const struct command *command) {
	field_hash_add_int(hash, (int64_t)command->header_count);
	for (size_t i = 0; i < command->header_count; i++) {
		field_hash_add_text(hash, command->headers[i].name);
		field_hash_add_int(hash, command->headers[i].value != NULL);
	}
}

/* A member that was not given is not hashed: the receipts of workers that did not know it still
 * name the same command. */
static void hash_options(struct field_hash *hash, const struct command *command) {
	if (command->description) {
		field_hash_add_text(hash, "description");
		field_hash_add_text(hash, command->description);
	}
	if (command->header_count > 0) {
		field_hash_add_text(hash, "headers");
		hash_headers(hash, command);
	}
	if (command->signature_count > 0) {
		field_hash_add_text(hash, "signatures");
		hash_texts(hash, command->signatures, command->signature_count);
	}
	if (command->filter) {
		field_hash_add_text(hash, "filter");
		hash_filter(hash, command->filter);
	}
	if (command->has_rate_limit) {
		field_hash_add_text(hash, "rateLimit");
		field_hash_add_int(hash, command->rate_limit);
	}
}

static void hash_recovery(struct field_hash *hash, const struct command *command) {
	if (command->has_until) {
		field_hash_add_text(hash, "until");
		field_hash_add_int(hash, command->until_ms);
	}
	if (command->subject) {
		field_hash_add_text(hash, "subject");
		field_hash_add_text(hash, command->subject);
	}
	if (command->status) {
		field_hash_add_text(hash, "status");
		field_hash_add_text(hash, command->status);
	}
}

static void hash_webhook(struct field_hash *hash, const struct command *command) {
	field_hash_add_int(hash, (int64_t)command->event_count);
	for (size_t i = 0; i < command->event_count; i++)
		field_hash_add_text(hash, command->events[i]);
	field_hash_add_text(hash, command->url);
	field_hash_add_int(hash, command->disabled);
	hash_options(hash, command);
}

static void hash_fields(struct field_hash *hash, const struct command *command) {
	switch (command->operation) {
	case OPERATION_CREATE_WEBHOOK:
		hash_webhook(hash, command);
		return;
	case OPERATION_UPDATE_WEBHOOK:
		field_hash_add_text(hash, command->id);
		hash_webhook(hash, command);
		return;
	case OPERATION_RETRIEVE_WEBHOOKS:
		field_hash_add_int(hash, command->has_limit);
		field_hash_add_int(hash, command->has_limit ? command->limit : 0);
		field_hash_add_text(hash, command->cursor);
		return;
	case OPERATION_RECOVER_DELIVERIES:
		field_hash_add_text(hash, command->id);
		field_hash_add_int(hash, command->since_ms);
		hash_recovery(hash, command);
		return;
	case OPERATION_RETRIEVE_WEBHOOK:
	case OPERATION_DELETE_WEBHOOK:
	case OPERATION_TEST_WEBHOOK:
	case OPERATION_RETRIEVE_SECRET:
	case OPERATION_ROTATE_SECRET:
	case OPERATION_RESEND_DELIVERY:
		field_hash_add_text(hash, command->id);
		return;
	case OPERATION_ROTATE_SIGNING_KEY:
	case OPERATION_UNKNOWN:
		return;
	}
}

/* Hashes the fields before any normalisation: a producer that repeats a command repeats its
 * bytes. */
static void fingerprint(const struct command *command, uint8_t out[FIELD_HASH_SIZE]) {
	struct field_hash hash;

	field_hash_init(&hash, "posthorn command");
	field_hash_add_text(&hash, operation_name(command->operation));
	hash_fields(&hash, command);
	field_hash_add_problem(&hash, command->envelope.faults);
	field_hash_finish(&hash, out);
}

/* A read reads again. A refusal of no known operation is the same again, and an older worker could
 * not read its receipt (R13). */
static bool leaves_no_receipt(enum operation operation) {
	return operation_is_read(operation) || operation == OPERATION_UNKNOWN;
}

int handle_command(const struct handler_context *context, const struct command *command,
		   struct effects *out) {
	const struct operation_rule *rule = &rules[command->operation];
	struct command_run run = {
		.context = context,
		.envelope = &command->envelope,
		.subject = rule->subject,
		.effects = out,
	};
	struct receipt_rule receipt = { .is_kept = true,
					.leaves_none = leaves_no_receipt(command->operation),
					.resumes = command->resume_ms != 0,
					.retention_ms = context->settings->receipt_retention_ms };

	fingerprint(command, receipt.fingerprint);
	return command_run_perform(&run, &receipt, rule->operation, command);
}
