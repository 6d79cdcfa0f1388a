#include "dispatch_world.h"

#include <stdio.h>
#include <unistd.h>

enum { RETRY_MS = 10 * 1000, PROBE_MS = 1000, BREAKER_FAILURES = 3 };

int64_t world_monotonic_ms, world_monotonic_step_ms;

static int64_t read_monotonic_ms(void) {
	int64_t now_ms = world_monotonic_ms;

	world_monotonic_ms += world_monotonic_step_ms;
	return now_ms;
}

/* Names. */

struct uuid webhook_id_of(char letter) {
	return (struct uuid){ .bytes = { (uint8_t)letter, 0xee } };
}

struct uuid delivery_id_of(char letter, int number) {
	return (struct uuid){ .bytes = { (uint8_t)letter, 0xdd, [14] = (uint8_t)(number >> 8),
					 [15] = (uint8_t)number } };
}

int number_of(const struct uuid *delivery_id) {
	return delivery_id->bytes[14] << 8 | delivery_id->bytes[15];
}

static char tenant_of(char letter) {
	return letter >= 'a' ? (char)(letter - 'a' + 'A') : letter;
}

const char *tenant_name_of(struct world *w, char letter) {
	char name = tenant_of(letter);

	return arena_strndup(w->arena, &name, 1);
}

static int32_t partition_of_letter(char letter) {
	return tenant_of(letter) >= 'N';
}

int32_t partition_of(const struct uuid *webhook_id) {
	return partition_of_letter((char)webhook_id->bytes[0]);
}

/* The state. */

void put_key(struct world *w, char letter) {
	char tenant = tenant_of(letter);
	int32_t epoch = ++w->key_epochs[(int)tenant];
	const char *name = tenant_name_of(w, letter);
	const struct master_key *master = master_keys_first(w->master_keys);
	_cleanup_(signer_unrefp) struct signer *signer = signer_derive(master, name, epoch);
	struct state_record record = {
		.kind = STATE_SIGNING_KEY,
		.signing_key = { .tenant_id = name,
				 .kid = arena_strndup(w->arena, signer_kid(signer),
						      strlen(signer_kid(signer))),
				 .master_key_id = master_key_id(master),
				 .epoch = epoch,
				 .created_at_ms = w->now_ms },
	};

	fake_replica_put(&w->replica, &record);
}

bool is_first_key(const struct world *w, const char *tenant_id, const struct signer *signer) {
	_cleanup_(signer_unrefp) struct signer *first =
	    signer_derive(master_keys_first(w->master_keys), tenant_id, 1);

	return strcmp(signer_kid(first), signer_kid(signer)) == 0;
}

struct webhook *find_webhook(struct world *w, char letter) {
	struct state_key key = { .kind = STATE_WEBHOOK,
				 .tenant_id = tenant_name_of(w, letter),
				 .id = webhook_id_of(letter) };
	struct state_record *record = fake_registry_find(&w->replica.registry, &key);

	assert_non_null(record);
	return &record->webhook;
}

void make_webhook(struct world *w, char letter) {
	const char *name = tenant_name_of(w, letter);

	if (w->is_made[(int)letter])
		return;
	w->is_made[(int)letter] = true;
	fake_replica_put(&w->replica,
			 &(struct state_record){ .kind = STATE_WEBHOOK,
						 .webhook = { .id = webhook_id_of(letter),
							      .tenant_id = name,
							      .url = WORLD_FIRST_URL,
							      .created_at_ms = 1,
							      .updated_at_ms = 1 } });
	if (!w->key_epochs[(int)tenant_of(letter)])
		put_key(w, letter);
}

void delete_delivery(struct world *w, const struct delivery *delivery) {
	struct state_record record = { .kind = STATE_DELIVERY, .delivery = *delivery };
	struct state_key key = state_record_key(&record);

	fake_replica_delete(&w->replica, &key);
}

void put_delivery(struct world *w, const struct delivery *delivery) {
	fake_replica_put(&w->replica,
			 &(struct state_record){ .kind = STATE_DELIVERY, .delivery = *delivery });
}

static uint32_t epoch_of(const struct world *w, int32_t partition) {
	return MAX(w->engine->gates[partition], 1U);
}

struct dispatch_partition partition_at(const struct world *w, char letter) {
	int32_t id = partition_of_letter(letter);

	return (struct dispatch_partition){ id, epoch_of(w, id) };
}

static struct master_keys *load_master_keys(void) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024);
	char folder[] = "/tmp/posthorn-dispatch-XXXXXX", path[64];
	const char *paths[] = { path };
	struct master_keys *keys = NULL;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/key", folder);
	assert_int_equal(master_key_generate(path, &why), 0);
	assert_int_equal(master_keys_load(paths, 1, &keys, &why), 0);
	unlink(path);
	rmdir(folder);
	return keys;
}

void world_init(struct world *w) {
	static int64_t retry_schedule_ms[] = { RETRY_MS, RETRY_MS, RETRY_MS, RETRY_MS };

	*w = (struct world){
		.now_ms = INT64_C(1800000000000),
		.arena = arena_new(),
		.engine = fake_engine_new(),
		.tenants = tenant_pending_new(),
		.master_keys = load_master_keys(),
		.config = {
			.delivery_max_in_flight = 64,
			.delivery_max_in_flight_per_endpoint = 4,
			.delivery_breaker_failures = BREAKER_FAILURES,
			.delivery_breaker_probe_interval_ms = PROBE_MS,
			.endpoint_failing_notify_after_ms = INT64_MAX,
			.endpoint_disable_after_ms = WORLD_DISABLE_AFTER_MS,
			.delivery_retry_schedule_ms = retry_schedule_ms,
			.delivery_retry_count = ARRAY_LEN(retry_schedule_ms),
		},
	};
	fake_replica_init(&w->replica, w->arena, partition_of);
	world_monotonic_ms = 1000;
	world_monotonic_step_ms = 0;
}

void world_start(struct world *w) {
	struct dispatcher_settings settings = {
		.config = &w->config,
		.master_keys = w->master_keys,
		.engine = w->engine,
		.metrics = &w->metrics,
		.tenant_pending = w->tenants,
		.monotonic_ms = read_monotonic_ms,
	};

	w->dispatcher = dispatcher_new(&settings, w->now_ms);
	dispatcher_set_replica(w->dispatcher, &w->replica);
}

void world_destroy(struct world *w) {
	dispatcher_free(w->dispatcher);
	tenant_pending_free(w->tenants);
	engine_free(w->engine);
	master_keys_free(w->master_keys);
	arena_free(w->arena);
}
