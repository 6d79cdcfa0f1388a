/*
 * Fills webhook-state with live records, as workers would have left them: for `tests/bench/run
 * restore`.
 *
 *     bench_fill_state BOOTSTRAP TOPIC PARTITIONS RECORDS MASTER_KEY_FILE [URL]...
 *
 * Every record has a key of its own, and lies in the partition of its tenant; every transaction
 * ends with a position in each partition that it touched. A tenant has 50 records: two signing
 * keys, five webhooks, 19 receipts, and of one webhook that fails 20 pending and 4 dead deliveries.
 * All kinds are mixed all along, as they are after a while in which everything happened. Prints the
 * bytes of keys and values.
 *
 * With urls a tenant has 6 records, a signing key and five webhooks: the first has one of the urls,
 * the others are disabled. So there is as much beside those that callbacks go to as one likes.
 */
#include "avro/codec.h"
#include "base/clock.h"
#include "domain/callback_body.h"
#include "domain/handler.h"
#include "domain/id.h"
#include "signature/signer.h"

#include <librdkafka/rdkafka.h>
#include <sodium.h>
#include <stdio.h>

static const char *const subscribed[] = { EVENT_TYPE_CREDENTIAL_ISSUED };

enum {
	TENANT_RECORDS = 50,
	QUIET_TENANT_RECORDS = 6,
	WEBHOOKS = 5,
	TRANSACTION_RECORDS = 5000,
	PARTITIONS_MAX = 1024,
	RECORD_MAX = 64 * 1024,
	TIMEOUT_MS = 60 * 1000,
	DAY_MS = 24 * 3600 * 1000,
};

/* Which of a tenant's records are of which kind: from here on. */
enum { FIRST_WEBHOOK = 2, FIRST_RECEIPT = 7, FIRST_PENDING = 26, FIRST_DEAD = 46 };

struct fill {
	rd_kafka_t *producer;
	rd_kafka_topic_t *topic;
	struct codec *codec;
	struct master_key *master_key;
	struct arena *arena;
	struct buffer record, event;
	int64_t now_ms;
	int partitions;
	struct position positions[PARTITIONS_MAX];
	int64_t bytes;
	char **urls;
	int url_count;
};

static void fail(const char *doing, const char *why) {
	fprintf(stderr, "bench_fill_state: %s: %s\n", doing, why);
	exit(1);
}

static void check(const char *doing, rd_kafka_error_t *error) {
	if (error)
		fail(doing, rd_kafka_error_string(error));
}

static rd_kafka_t *producer_new(const char *bootstrap) {
	static const char *const settings[][2] = {
		{ "transactional.id", "bench-fill-state" }, { "linger.ms", "20" },
		{ "queue.buffering.max.kbytes", "262144" }, { "batch.size", "1000000" },
		{ "socket.nagle.disable", "true" },
	};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[512] = "";
	rd_kafka_t *producer;

	rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, why, sizeof(why));
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof(why)) !=
		    RD_KAFKA_CONF_OK)
			fail("setting", why);
	producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (!producer)
		fail("producer", why);
	check("init", rd_kafka_init_transactions(producer, TIMEOUT_MS));
	return producer;
}

static void produce(struct fill *f, int32_t partition, const struct state_record *record) {
	struct state_key key = state_record_key(record);
	const char *text = state_key_format(f->arena, &key);
	rd_kafka_resp_err_t err;

	buffer_clear(&f->record);
	codec_encode_state(f->codec, record, &f->record);
	err = rd_kafka_producev(f->producer, RD_KAFKA_V_RKT(f->topic),
				RD_KAFKA_V_PARTITION(partition),
				RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK),
				RD_KAFKA_V_KEY(text, strlen(text)),
				RD_KAFKA_V_VALUE(f->record.data, f->record.len), RD_KAFKA_V_END);
	if (err)
		fail("produce", rd_kafka_err2str(err));
	f->bytes += (int64_t)(strlen(text) + f->record.len);
}

/* A tenant's records. All of them follow from the tenant and the number of the record. */

static struct uuid webhook_id(const char *tenant, int n) {
	struct command_source source = { .cluster_id = "bench",
					 .topic = "webhook-admin",
					 .offset = n };

	return id_of_webhook(&source, tenant, "create");
}

static struct webhook webhook_of(struct fill *f, const char *tenant, int n) {
	return (struct webhook){
		.id = webhook_id(tenant, n),
		.tenant_id = tenant,
		.events = subscribed,
		.event_count = 1,
		.url = arena_printf(
		    f->arena, "https://receiver-%d.%s.example/hooks/credentials?source=posthorn", n,
		    tenant),
		.created_at_ms = f->now_ms - DAY_MS + n,
		.updated_at_ms = f->now_ms - DAY_MS + n,
	};
}

static struct state_record signing_key_of(struct fill *f, const char *tenant, int n) {
	_cleanup_(signer_unrefp) struct signer *signer =
	    signer_derive(f->master_key, tenant, n + 1);
	struct state_record record = {
		.kind = STATE_SIGNING_KEY,
		.signing_key = { .tenant_id = tenant,
				 .kid = arena_strdup(f->arena, signer_kid(signer)),
				 .master_key_id = master_key_id(f->master_key),
				 .epoch = n + 1,
				 .created_at_ms = f->now_ms - DAY_MS,
				 .expires_at_ms = n == 0 ? f->now_ms + DAY_MS : 0 },
	};

	memcpy(record.signing_key.x, signer_public_key(signer), sizeof(record.signing_key.x));
	return record;
}

static struct state_record receipt_of(struct fill *f, const char *tenant, int n) {
	return (struct state_record){
		.kind = STATE_RECEIPT,
		.receipt = { .tenant_id = tenant,
			     .command_id = arena_printf(f->arena, "command-%d-of-%s", n, tenant),
			     .subject = ANALYTIC_WEBHOOK_UPDATE,
			     .status = 200,
			     .data = { .kind = EVENT_DATA_WEBHOOK,
				       .webhook = webhook_of(f, tenant, n % WEBHOOKS) },
			     .created_at_ms = f->now_ms - n,
			     .expires_at_ms = f->now_ms + DAY_MS - n },
	};
}

static void delivery_body(struct fill *f, struct delivery *delivery) {
	const struct issuance issuance = {
		.envelope = { .tenant_id = delivery->tenant_id,
			      .command_id = delivery->command_id,
			      .timestamp_ms = delivery->created_at_ms },
		.user_id = "user-4711",
		.credential_id = "0b7c9f3e-5f7e-4f0a-9a53-0c8a1c9d2f11",
		.credential_configuration_id = "UniversityDegree_jwt_vc_json",
		.credential_profile = "OpenID4VCI",
		.format = "jwt_vc_json",
		.claims =
		    "{\"given_name\":\"Ada\",\"family_name\":\"Lovelace\",\"degree\":\"BSc\"}",
		.credential = "\"eyJhbGciOiJFZERTQSJ9."
			      "eyJ2YyI6eyJ0eXBlIjpbIlZlcmlmaWFibGVDcmVkZW50aWFsIl0sImNyZWRlbnRpYWxT"
			      "dWJqZWN0Ijp7ImdpdmVu"
			      "X25hbWUiOiJBZGEiLCJmYW1pbHlfbmFtZSI6IkxvdmVsYWNlIn19fQ."
			      "c2lnbmF0dXJlLW9mLXNpeHR5LWZvdXItYnl0ZXMtaW4tYmFzZTY0dXJs\"",
	};

	buffer_clear(&f->event);
	event_json_issued(&f->event, &issuance, BUILTIN_CREDENTIAL_ISSUED, &delivery->event_id);
	callback_body(f->arena, &f->event, delivery);
}

/* Pending ones are due in some hours, so that nothing is delivered while a restore is measured. */
static struct state_record delivery_of(struct fill *f, const char *tenant, int n,
				       enum delivery_status status) {
	struct state_record record = { .kind = STATE_DELIVERY };
	struct delivery *delivery = &record.delivery;

	*delivery = (struct delivery){
		.webhook_id = webhook_id(tenant, WEBHOOKS - 1),
		.tenant_id = tenant,
		.command_id = arena_printf(f->arena, "issuance-%d-of-%s", n, tenant),
		.event_type = EVENT_TYPE_CREDENTIAL_ISSUED,
		.status = status,
		.attempts = status == DELIVERY_DEAD ? 8 : 4,
		.last_status = 503,
		.last_reason = "status-503",
		.created_at_ms = f->now_ms - DAY_MS / 2 + n * 60000,
		.next_attempt_at_ms = status == DELIVERY_DEAD ? f->now_ms - n * 1000
							      : f->now_ms + DAY_MS / 8 + n * 60000,
	};
	delivery->event_id = id_of_event(tenant, delivery->command_id, delivery->event_type);
	delivery->id = id_of_delivery(tenant, delivery->command_id, delivery->event_type,
				      &delivery->webhook_id);
	delivery_body(f, delivery);
	return record;
}

static struct state_record quiet_record_of(struct fill *f, const char *tenant, int64_t t, int n) {
	struct state_record record = { .kind = STATE_WEBHOOK };

	if (n == WEBHOOKS)
		return signing_key_of(f, tenant, 1);
	record.webhook = webhook_of(f, tenant, n);
	record.webhook.disabled = n > 0;
	if (n == 0)
		record.webhook.url = f->urls[t % f->url_count];
	return record;
}

static struct state_record record_of(struct fill *f, const char *tenant, int n) {
	if (n >= FIRST_DEAD)
		return delivery_of(f, tenant, n, DELIVERY_DEAD);
	if (n >= FIRST_PENDING)
		return delivery_of(f, tenant, n, DELIVERY_PENDING);
	if (n >= FIRST_RECEIPT)
		return receipt_of(f, tenant, n);
	if (n >= FIRST_WEBHOOK)
		return (struct state_record){ .kind = STATE_WEBHOOK,
					      .webhook = webhook_of(f, tenant, n - FIRST_WEBHOOK) };
	return signing_key_of(f, tenant, n);
}

/* Transactions. */

static void put(struct fill *f, int64_t index, int64_t tenants) {
	int64_t t = index % tenants;
	const char *tenant = arena_printf(f->arena, "tenant-%06lld", (long long)t);
	int64_t n = index / tenants + t;
	struct state_record record =
	    f->url_count ? quiet_record_of(f, tenant, t, (int)(n % QUIET_TENANT_RECORDS))
			 : record_of(f, tenant, (int)(n % TENANT_RECORDS));
	int32_t partition = rd_kafka_msg_partitioner_murmur2(f->topic, tenant, strlen(tenant),
							     f->partitions, NULL, NULL);

	produce(f, partition, &record);
	f->positions[partition].record_count++;
}

static void put_positions(struct fill *f) {
	for (int32_t p = 0; p < f->partitions; p++) {
		struct position *position = &f->positions[p];

		if (!position->record_count)
			continue;
		position->sequence++;
		position->timestamp_ms = f->now_ms;
		produce(f, p,
			&(struct state_record){ .kind = STATE_POSITION, .position = *position });
		position->record_count = 0;
	}
}

static void commit(struct fill *f) {
	put_positions(f);
	if (rd_kafka_flush(f->producer, TIMEOUT_MS))
		fail("flush", "not all records were taken");
	check("commit", rd_kafka_commit_transaction(f->producer, TIMEOUT_MS));
}

static void fill(struct fill *f, int64_t records) {
	int each = f->url_count ? QUIET_TENANT_RECORDS : TENANT_RECORDS;
	int64_t tenants = MAX((records + each - 1) / each, (int64_t)1);

	for (int64_t i = 0; i < records;) {
		check("begin", rd_kafka_begin_transaction(f->producer));
		for (int64_t end = MIN(i + TRANSACTION_RECORDS, records); i < end; i++) {
			arena_reset(f->arena);
			put(f, i, tenants);
		}
		commit(f);
	}
}

int main(int argc, char **argv) {
	static struct fill f;
	struct buffer problems = BUFFER_INIT(RECORD_MAX);

	if (argc < 6 || (f.partitions = atoi(argv[3])) < 1 || f.partitions > PARTITIONS_MAX)
		fail("usage", "BOOTSTRAP TOPIC PARTITIONS RECORDS MASTER_KEY_FILE [URL]...");
	f.urls = argv + 6;
	f.url_count = argc - 6;
	f.arena = arena_new();
	f.record = f.event = BUFFER_INIT(RECORD_MAX);
	f.now_ms = clock_wall_ms();
	if (sodium_init() < 0 || codec_new(NULL, &f.codec, &problems) ||
	    master_key_load(argv[5], &f.master_key, &problems))
		fail("start", problems.len ? problems.data : "cannot begin");
	for (int p = 0; p < f.partitions; p++)
		f.positions[p] = (struct position){ .store_id = uuid_random(),
						    .generation = 1,
						    .member_id = "worker-1" };
	f.producer = producer_new(argv[1]);
	f.topic = rd_kafka_topic_new(f.producer, argv[2], NULL);
	fill(&f, atoll(argv[4]));
	printf("%lld\n", (long long)f.bytes);
	rd_kafka_topic_destroy(f.topic);
	rd_kafka_destroy(f.producer);
	master_key_free(f.master_key);
	codec_free(f.codec);
	arena_free(f.arena);
	buffer_destroy(&f.record);
	buffer_destroy(&f.event);
	return 0;
}
