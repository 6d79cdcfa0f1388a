#include "domain/id.h"

#include "domain/command.h"
#include "domain/delivery.h"
#include "domain/field_hash.h"

static struct uuid finish(struct field_hash *hash) {
	uint8_t digest[FIELD_HASH_SIZE];

	field_hash_finish(hash, digest);
	return uuid_from_hash(digest);
}

static void add_uuid(struct field_hash *hash, const struct uuid *uuid) {
	field_hash_add_bytes(hash, uuid->bytes, sizeof(uuid->bytes));
}

static void add_source(struct field_hash *hash, const struct command_source *source) {
	field_hash_add_text(hash, source->cluster_id);
	field_hash_add_text(hash, source->topic);
	field_hash_add_int(hash, source->partition);
	field_hash_add_int(hash, source->offset);
}

/* The type is hashed by name: numbers may be reassigned, names are the interface. */
static void add_event(struct field_hash *hash, const char *tenant_id, const char *command_id,
		      const char *type) {
	field_hash_add_text(hash, tenant_id);
	field_hash_add_text(hash, command_id);
	field_hash_add_text(hash, type);
}

struct uuid id_of_event(const char *tenant_id, const char *command_id, const char *type) {
	struct field_hash hash;

	field_hash_init(&hash, "posthorn event");
	add_event(&hash, tenant_id, command_id, type);
	return finish(&hash);
}

struct uuid id_of_delivery(const char *tenant_id, const char *command_id, const char *type,
			   const struct uuid *webhook_id) {
	struct field_hash hash;

	field_hash_init(&hash, "posthorn delivery");
	add_event(&hash, tenant_id, command_id, type);
	add_uuid(&hash, webhook_id);
	return finish(&hash);
}

struct uuid id_of_analytic_event(const struct command_source *source, int32_t index) {
	struct field_hash hash;

	field_hash_init(&hash, "posthorn analytic event");
	add_source(&hash, source);
	field_hash_add_int(&hash, index);
	return finish(&hash);
}

struct uuid id_of_delivery_event(const struct delivery *delivery, int32_t attempt,
				 enum analytic_step step) {
	struct field_hash hash;

	field_hash_init(&hash, "posthorn delivery event");
	add_uuid(&hash, &delivery->id);
	field_hash_add_int(&hash, delivery->next_attempt_at_ms);
	field_hash_add_int(&hash, attempt);
	field_hash_add_int(&hash, step);
	return finish(&hash);
}

struct uuid id_of_notice(const char *type, const struct uuid *webhook_id,
			 const struct uuid *delivery_id, int64_t moment_ms) {
	struct field_hash hash;

	field_hash_init(&hash, "posthorn notice");
	field_hash_add_text(&hash, type);
	add_uuid(&hash, webhook_id);
	if (delivery_id)
		add_uuid(&hash, delivery_id);
	field_hash_add_int(&hash, moment_ms);
	return finish(&hash);
}

struct uuid id_of_webhook_disabled(const struct webhook *webhook) {
	struct field_hash hash;

	field_hash_init(&hash, "posthorn webhook disabled");
	add_uuid(&hash, &webhook->id);
	field_hash_add_int(&hash, webhook->updated_at_ms);
	return finish(&hash);
}

struct uuid id_of_webhook(const struct command_source *source, const char *tenant_id,
			  const char *command_id) {
	struct field_hash hash;

	field_hash_init(&hash, "posthorn webhook");
	add_source(&hash, source);
	field_hash_add_text(&hash, tenant_id);
	field_hash_add_text(&hash, command_id);
	return finish(&hash);
}
