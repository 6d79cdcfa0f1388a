/* A delivery as JSON: in answers over HTTP, and with --json. */
#pragma once

#include "base/buffer.h"
#include "domain/delivery.h"

#include <stdbool.h>

/* Appends an object with the members id, webhookId, eventType, status, attempts, lastStatus,
 * lastReason, nextAttemptAt, diedAt, createdAt, and body if `with_body`. */
void delivery_json_append(struct buffer *out, const struct delivery *delivery, bool with_body);
