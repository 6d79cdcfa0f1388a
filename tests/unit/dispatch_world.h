/*
 * A dispatcher over a fake engine and a fake replica, in virtual time. dispatch_script.h says how
 * its endpoints, tenants, partitions and deliveries are called.
 */
#pragma once

#include "dispatch/dispatcher.h"
#include "fake_engine.h"
#include "fake_replica.h"
#include "unit.h"

#define WORLD_FIRST_URL "https://first.example/"
#define WORLD_SECOND_URL "https://second.example/"

enum { WORLD_DISABLE_AFTER_MS = 60 * 1000 };

struct world {
	int64_t now_ms; /* wall */
	struct arena *arena;
	struct config config; /* to be changed before world_start */
	struct master_keys *master_keys;
	struct engine *engine;
	struct replica replica;
	struct tenant_pending *tenants;
	struct dispatch_metrics metrics;
	struct dispatcher *dispatcher; /* NULL before world_start */
	bool is_made[128];             /* webhooks, by letter */
	int32_t key_epochs[128];       /* of tenants, by letter */
};

/* The monotonic clock of the world that runs, and by how much each reading of it advances it. */
extern int64_t world_monotonic_ms, world_monotonic_step_ms;

void world_init(struct world *w);
/* Makes the dispatcher. */
void world_start(struct world *w);
void world_destroy(struct world *w);

struct uuid webhook_id_of(char letter);
struct uuid delivery_id_of(char letter, int number);
int number_of(const struct uuid *delivery_id);
int32_t partition_of(const struct uuid *webhook_id);
/* With the epoch of its gate; 1 while that is closed. */
struct dispatch_partition partition_at(const struct world *w, char letter);
/* In the world's arena. */
const char *tenant_name_of(struct world *w, char letter);

/* In the replica: a key of the next epoch, the webhook with its tenant's first key unless it was
 * made before, and deliveries. */
void put_key(struct world *w, char letter);
/* Whether the signer is that of the tenant's first key. */
bool is_first_key(const struct world *w, const char *tenant_id, const struct signer *signer);
void make_webhook(struct world *w, char letter);
struct webhook *find_webhook(struct world *w, char letter);
void put_delivery(struct world *w, const struct delivery *delivery);
void delete_delivery(struct world *w, const struct delivery *delivery);
