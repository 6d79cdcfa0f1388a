#include "replica_fixture.h"

#include <stdio.h>
#include <unistd.h>

static const char *const subscribed[] = { EVENT_TYPE_CREDENTIAL_ISSUED };

/* Two records of a delivery are more than 1000 bytes, one is not. */
#define BODY_100                                                                                   \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxx"
#define BODY "\"" BODY_100 BODY_100 BODY_100 BODY_100 BODY_100 "\""

int fixture_setup(void **state) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(1024);
	struct fixture *f = x_calloc(1, sizeof(*f));

	strcpy(f->directory, "/tmp/posthorn-replica-XXXXXX");
	if (!mkdtemp(f->directory) || codec_new(NULL, &f->codec, &problems))
		return -1;
	snprintf(f->file, sizeof(f->file), "%s/replica.db", f->directory);
	f->arena = arena_new();
	fixture_open(f);
	*state = f;
	return 0;
}

int fixture_teardown(void **state) {
	static const char *const names[] = { "replica.db", "replica.db-wal", "replica.db-shm",
					     "lock" };
	struct fixture *f = *state;

	fixture_close(f);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		_cleanup_(x_freep) char *path = x_asprintf("%s/%s", f->directory, names[i]);

		unlink(path);
	}
	rmdir(f->directory);
	arena_free(f->arena);
	codec_free(f->codec);
	free(f);
	return 0;
}

void fixture_open(struct fixture *f) {
	assert_int_equal(replica_open(f->directory, CLUSTER, f->codec, &f->replica), 0);
}

void fixture_close(struct fixture *f) {
	replica_close(f->replica);
	f->replica = NULL;
}

struct uuid uuid_of(uint32_t n) {
	return (struct uuid){ { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
				(uint8_t)n, 0, 0, 0x80, 0, 0x80 } };
}

struct state_record webhook_of(const char *tenant, uint32_t n, int64_t created_at_ms) {
	return (struct state_record){
		.kind = STATE_WEBHOOK,
		.webhook = { .id = uuid_of(n),
			     .tenant_id = tenant,
			     .events = subscribed,
			     .event_count = 1,
			     .url = "https://receiver.example/hooks",
			     .created_at_ms = created_at_ms,
			     .updated_at_ms = created_at_ms },
	};
}

struct state_record signing_key_of(const char *tenant, const char *kid, int32_t epoch,
				   int64_t expires_at_ms) {
	return (struct state_record){
		.kind = STATE_SIGNING_KEY,
		.signing_key = { .tenant_id = tenant,
				 .kid = kid,
				 .master_key_id = "master",
				 .epoch = epoch,
				 .created_at_ms = 1,
				 .expires_at_ms = expires_at_ms },
	};
}

struct state_record delivery_of(uint32_t n, uint32_t webhook, enum delivery_status status,
				int64_t due_ms) {
	return (struct state_record){
		.kind = STATE_DELIVERY,
		.delivery = { .id = uuid_of(n),
			      .event_type = EVENT_TYPE_CREDENTIAL_ISSUED,
			      .event_id = uuid_of(n),
			      .webhook_id = uuid_of(webhook),
			      .tenant_id = "tenant",
			      .command_id = "command",
			      .body = BODY,
			      .body_len = sizeof(BODY) - 1,
			      .status = status,
			      .created_at_ms = 1,
			      .next_attempt_at_ms = due_ms },
	};
}

struct state_record receipt_of(const char *tenant, const char *command_id, int64_t expires_at_ms) {
	return (struct state_record){
		.kind = STATE_RECEIPT,
		.receipt = { .tenant_id = tenant,
			     .command_id = command_id,
			     .subject = ANALYTIC_WEBHOOK_DELETE,
			     .status = 204,
			     .created_at_ms = 1,
			     .expires_at_ms = expires_at_ms },
	};
}

struct state_record position_of(int64_t sequence) {
	return (struct state_record){
		.kind = STATE_POSITION,
		.position = { .store_id = uuid_of(7),
			      .sequence = sequence,
			      .generation = 1,
			      .member_id = "worker-1",
			      .timestamp_ms = 1 },
	};
}

void put(struct fixture *f, int32_t partition, struct state_record record) {
	_cleanup_(buffer_destroy) struct buffer value = BUFFER_INIT(4096);
	struct change change = { .key = state_record_key(&record), .record = &record };

	codec_encode_state(f->codec, &record, &value);
	assert_false(value.overflowed);
	assert_int_equal(replica_apply(f->replica, partition, &change, value.data, value.len), 0);
}

void del(struct fixture *f, int32_t partition, struct state_record record) {
	struct change change = { .key = state_record_key(&record) };

	assert_int_equal(replica_apply(f->replica, partition, &change, NULL, 0), 0);
}

static int append_line(void *userdata, const char *key, int32_t partition, const void *value,
		       size_t len) {
	struct buffer *out = userdata;
	const uint8_t *bytes = value;

	buffer_printf(out, "%s %d ", key, partition);
	for (size_t i = 0; i < len; i++)
		buffer_printf(out, "%02x", bytes[i]);
	buffer_append_char(out, '\n');
	return 0;
}

const char *dump_text(struct fixture *f, struct replica *replica) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(16 * 1024 * 1024);

	assert_int_equal(replica_dump(replica, append_line, &out), 0);
	assert_false(out.overflowed);
	return arena_strndup(f->arena, out.len ? out.data : "", out.len);
}

static int count_line(void *userdata, const char *key, int32_t partition, const void *value,
		      size_t len) {
	(void)key, (void)partition, (void)value, (void)len;
	++*(size_t *)userdata;
	return 0;
}

size_t dump_count(struct fixture *f, struct replica *replica) {
	size_t count = 0;

	(void)f;
	assert_int_equal(replica_dump(replica, count_line, &count), 0);
	return count;
}

void fixture_fill(struct fixture *f) {
	assert_int_equal(replica_begin(f->replica), 0);
	for (uint32_t n = 0; n < 3000; n++)
		put(f, 0, delivery_of(n, n % 10, DELIVERY_PENDING, n));
	put(f, 0, webhook_of("t", 1, 1));
	assert_int_equal(replica_offset_set(f->replica, 0, 1, 1), 0);
	assert_int_equal(replica_commit(f->replica), 0);
}

int fixture_use(struct fixture *f) {
	struct uuid webhook_id = uuid_of(1);
	struct delivery *deliveries;
	size_t count;
	struct delivery next;
	int r, worst = 0;

	r = replica_pending(f->replica, f->arena, &webhook_id, INT64_MAX,
			    (struct delivery_bounds){ 1000, SIZE_MAX }, &deliveries, &count);
	worst = MIN(worst, r);
	r = replica_next_pending(f->replica, f->arena, &webhook_id, 0, &next);
	worst = MIN(worst, r);
	for (uint32_t n = 0; n < 3000; n += 100) {
		struct state_record record = delivery_of(n, 1, DELIVERY_DEAD, 1);
		struct change change = { .key = state_record_key(&record) };

		r = replica_apply(f->replica, 0, &change, NULL, 0);
		worst = MIN(worst, r);
	}
	r = replica_drop_partition(f->replica, 0);
	return MIN(worst, r);
}
