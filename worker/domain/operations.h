/* The operations of WebhookCommand. `command` of each is a struct command. Inside `domain` only. */
#pragma once

#include "domain/handling.h"

int operation_create_webhook(struct handling *handling, const void *command);
int operation_retrieve_webhooks(struct handling *handling, const void *command);
int operation_retrieve_webhook(struct handling *handling, const void *command);
int operation_update_webhook(struct handling *handling, const void *command);
int operation_delete_webhook(struct handling *handling, const void *command);
int operation_test_webhook(struct handling *handling, const void *command);
int operation_rotate_signing_key(struct handling *handling, const void *command);
int operation_recover_deliveries(struct handling *handling, const void *command);

/* The webhook of the tenant that the command names. Returns 0; 1 after answering 404; or a negative
 * errno. */
int operation_find_webhook(struct handling *handling, const struct command *command,
			   const struct uuid *id, struct webhook *out) _must_check_;
/* Answers 409 and returns true where the webhook is disabled. */
bool operation_is_disabled(struct handling *handling, const struct command *command,
			   const struct webhook *webhook);
/* Makes the tenant's key of the epoch, which signs from now on. */
struct signing_key operation_put_signing_key(struct handling *handling, int32_t epoch);
