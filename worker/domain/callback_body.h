/* The callback's body (docs/api.md, "The callback"): the event's JSON is built once, and
 * each webhook's ids are put in front of it. Inside `domain` only. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "domain/command.h"
#include "domain/delivery.h"
#include "domain/event_type.h"
#include "domain/webhook.h"

/* The maximum of an event's JSON, so that the whole body keeps to DELIVERY_BODY_MAX. */
enum {
	CALLBACK_HEAD_LEN = sizeof(
	    "{\"deliveryId\":\"\",\"deliveryTimestamp\":\"\",\"webhookId\":\"\",\"event\":}") -
	    1 + 2 * (UUID_TEXT_SIZE - 1) + sizeof("2026-01-31T12:00:00.000Z") - 1,
	EVENT_JSON_MAX = DELIVERY_BODY_MAX - CALLBACK_HEAD_LEN
};

/* Appends {"id":...,"type":...,"timestamp":...,"payload":{...}}. `claims` and `credential` of
 * the issuance must be valid JSON. */
void event_json_issued(struct buffer *out, const struct issuance *issuance,
		       enum event_type_builtin type, const struct uuid *event_id);
/* The same with the payload as it was given, and `subject` where there is one. */
void event_json_own(struct buffer *out, const struct event_command *command,
		    const struct uuid *event_id);

/* What a notice (domain/notice.h) tells. */
struct notice {
	enum event_type_builtin type;
	const struct webhook *webhook; /* that it speaks about */
	int64_t at_ms;                 /* wall: of the event */
	int64_t moment_ms; /* with the webhook and the delivery it makes the event's id */

	/* 0 or NULL: there is none. */
	int64_t failing_since_ms;
	const char *reason; /* WebhookDisabled: "gone" or "failing" */
	int32_t last_status;
	const char *last_reason;
	const struct delivery *delivery; /* DeliveryDead: as it ended */
};

/* The same with `subject`, the webhook's id. The texts that are made on the way are in the arena.
 */
void event_json_notice(struct buffer *out, struct arena *arena, const struct notice *notice,
		       const struct uuid *event_id);
void event_json_test(struct buffer *out, const struct uuid *event_id, const struct uuid *webhook_id,
		     int64_t timestamp_ms);

/* Fills `body` and `body_len` of a delivery whose ids and created_at_ms are set. The body lives
 * in the arena. */
void callback_body(struct arena *arena, const struct buffer *event_json, struct delivery *delivery);
