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

/* Finds the webhook that the command names. Returns 0; 1 after answering 400 or 404; or a negative
 * errno. */
int operation_find_webhook(struct command_run *run, const struct command *command,
			   struct webhook *out) _must_check_;
/* Whether the webhook is disabled. If so, answers 409. */
bool operation_is_disabled(struct command_run *run, const struct command *command,
			   const struct webhook *webhook);
/* Makes the tenant's key of the epoch, which is the signing one from now on. */
struct signing_key operation_put_signing_key(struct command_run *run, int32_t epoch);
