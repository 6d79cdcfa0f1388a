/* A replica in a directory of its own, and records to put into it. */
#pragma once

#include "replica/replica.h"
#include "unit.h"

struct fixture {
	char directory[64];
	char file[96];
	struct codec *codec;
	struct arena *arena;
	struct replica *replica;
};

#define CLUSTER "cluster-1"

/* A cmocka set-up and tear-down for each test: *state is a struct fixture with an open replica. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);

/* 3000 pending deliveries of ten webhooks, and a webhook. */
void fixture_fill(struct fixture *f);
/* Every way to use the replica: none may crash; a failure is -EIO. */
int fixture_use(struct fixture *f);

struct uuid uuid_of(uint32_t n);
struct state_record webhook_of(const char *tenant, uint32_t n, int64_t created_at_ms);
struct state_record signing_key_of(const char *tenant, const char *kid, int32_t epoch,
				   int64_t expires_at_ms);
struct state_record delivery_of(uint32_t n, uint32_t webhook, enum delivery_status status,
				int64_t due_ms);
struct state_record receipt_of(const char *tenant, const char *command_id, int64_t expires_at_ms);
struct state_record position_of(int64_t sequence);

/* Each outside a transaction commits by itself. */
void put(struct fixture *f, int32_t partition, struct state_record record);
void del(struct fixture *f, int32_t partition, struct state_record record);

/* The dump as text, a line a key: key, partition, value in hex. In the arena. */
const char *dump_text(struct fixture *f, struct replica *replica);
size_t dump_count(struct fixture *f, struct replica *replica);
