/* The operations of WebhookCommand. In each, `userdata` is a struct command. Inside
 * `domain` only. */
#pragma once

#include "domain/command_run.h"

int operation_create_webhook(struct command_run *run, const void *userdata);
int operation_retrieve_webhooks(struct command_run *run, const void *userdata);
int operation_retrieve_webhook(struct command_run *run, const void *userdata);
int operation_update_webhook(struct command_run *run, const void *userdata);
int operation_delete_webhook(struct command_run *run, const void *userdata);
int operation_test_webhook(struct command_run *run, const void *userdata);
int operation_rotate_signing_key(struct command_run *run, const void *userdata);
int operation_recover_deliveries(struct command_run *run, const void *userdata);
int operation_retrieve_secret(struct command_run *run, const void *userdata);
int operation_rotate_secret(struct command_run *run, const void *userdata);
int operation_resend_delivery(struct command_run *run, const void *userdata);

/* Answers with a refusal about what `id` names. */
void operation_answer_about(struct command_run *run, int status, const char *message,
			    const char *id, const char *msg);

/* Finds the webhook that the command names. Returns 0; 1 after answering 400 or 404; or a negative
 * errno. */
int operation_find_webhook(struct command_run *run, const struct command *command,
			   struct webhook *out) _must_check_;
/* The same, of one that is not disabled: else answers 409. */
int operation_find_enabled(struct command_run *run, const struct command *command,
			   struct webhook *out) _must_check_;
/* Whether the group has a worker of an older release, which can read nothing newer (R13). If so,
 * answers 503. */
bool operation_meets_older(struct command_run *run) _must_check_;
/* Gives `webhook`, whose tenant and id are set, the headers of the command, sealed, and the secret
 * of its signatures. `former` is what it was before; NULL: it is new. Returns 0, or 1 after
 * answering 400. */
int operation_give_secrets(struct command_run *run, const struct command *command,
			   const struct webhook *former, struct webhook *webhook) _must_check_;
/* Makes the tenant's key of the epoch, which is the signing one from now on. */
struct signing_key operation_put_signing_key(struct command_run *run, int32_t epoch);
