/*
 * Deterministic ids (R11): a repeated attempt, a restart, a re-read and a producer's duplicate
 * carry the same ones. Each is BLAKE2b-128 over a purpose and length-prefixed fields, written as a
 * UUID. Source: RFC 7693 (BLAKE2b), RFC 9562 section 5.8 (UUID version 8).
 */
#pragma once

#include "base/uuid.h"
#include "domain/analytic_event.h"

struct command_source;
struct delivery;

/* The callback's event id: of (tenant, commandId, event type). */
struct uuid id_of_event(const char *tenant_id, const char *command_id, const char *type);
/* A delivery's id: of the same and the webhook. */
struct uuid id_of_delivery(const char *tenant_id, const char *command_id, const char *type,
			   const struct uuid *webhook_id);
/* An analytic event's id: of (cluster, topic, partition, offset, index of the event in its
 * command). */
struct uuid id_of_analytic_event(const struct command_source *source, int32_t index);
/*
 * The id of an analytic event of a delivery's own step: of (delivery id, due time, attempt, step).
 * `delivery` is as before the attempt. The due time distinguishes the lives of a delivery: one that
 * is recovered, or recorded again by a duplicate command, counts its attempts from 1 again.
 */
struct uuid id_of_delivery_event(const struct delivery *delivery, int32_t attempt,
				 enum analytic_step step);
/* A notice's event id: of (type, webhook that it speaks about, delivery or none, moment that it
 * speaks about). */
struct uuid id_of_notice(const char *type, const struct uuid *webhook_id,
			 const struct uuid *delivery_id, int64_t moment_ms);
/* The id of the event that reports a webhook's disabling: of (webhook id, time of its last
 * update before). */
struct uuid id_of_webhook_disabled(const struct webhook *webhook);
/* A new webhook's id: of (cluster, topic, partition, offset, tenant, commandId). */
struct uuid id_of_webhook(const struct command_source *source, const char *tenant_id,
			  const char *command_id);
