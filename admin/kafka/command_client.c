#include "kafka/command_client.h"

#include "base/clock.h"
#include "base/invariant.h"
#include "rdkafka/topic_names.h"

struct command_client {
	struct codec *codec;
	struct producer *producer;
	struct reader *results; /* NULL: outcomes are not awaited */
	struct buffer encoded;
	struct record record;  /* the last one read; borrowed from `results` */
	struct arena *scratch; /* one decoded event, reset for the next */
	int64_t timeout_ms;
};

static enum admin_status open_results(const struct config *config, struct command_client *client) {
	_cleanup_(x_freep) char *topic = topic_name(config->topic_prefix, TOPIC_RESULTS);
	const struct reader_options options = { .topic = topic,
						.start = READER_FROM_END,
						.timeout_ms = client->timeout_ms };

	return reader_open(config, &options, &client->results);
}

static enum admin_status open_commands(const struct config *config,
				       const struct command_client_options *options,
				       struct command_client *client) {
	_cleanup_(x_freep) char *topic = topic_name(config->topic_prefix, options->topic);
	const struct producer_options of_producer = { .topic = topic,
						      .timeout_ms = options->timeout_ms,
						      .open_ms = options->open_ms };

	return producer_open(config, &of_producer, &client->producer);
}

enum admin_status command_client_open(const struct config *config, struct codec *codec,
				      const struct command_client_options *options,
				      struct command_client **out) {
	_cleanup_(command_client_closep) struct command_client *client =
	    x_calloc(1, sizeof(*client));
	enum admin_status status;

	client->codec = codec;
	client->scratch = arena_new();
	client->timeout_ms = options->timeout_ms;
	client->encoded = BUFFER_INIT((size_t)config->command_max_bytes);
	status = open_commands(config, options, client);
	if (!status && options->awaits_outcomes)
		status = open_results(config, client);
	if (!status)
		*out = TAKE(client);
	return status;
}

void command_client_close(struct command_client *client) {
	if (client->producer)
		producer_close(client->producer);
	if (client->results)
		reader_close(client->results);
	buffer_destroy(&client->encoded);
	arena_free(client->scratch);
	free(client);
}

static struct record_header header_of(const char *name, const char *value) {
	return (struct record_header){ .name = name, .value = value, .len = strlen(value) };
}

static enum admin_status send_encoded(struct command_client *client,
				      const struct command_envelope *envelope) {
	struct record_header headers[2];
	struct produced_record record = { .key = envelope->tenant_id,
					  .key_len = strlen(envelope->tenant_id),
					  .value = client->encoded.data,
					  .len = client->encoded.len,
					  .headers = headers };

	if (envelope->traceparent)
		headers[record.header_count++] = header_of("traceparent", envelope->traceparent);
	if (envelope->traceparent && envelope->tracestate)
		headers[record.header_count++] = header_of("tracestate", envelope->tracestate);
	if (client->encoded.overflowed)
		return ADMIN_REFUSED;
	return producer_send(client->producer, &record);
}

enum admin_status command_client_send_command(struct command_client *client,
					      const struct command *command) {
	buffer_clear(&client->encoded);
	codec_encode_command(client->codec, command, &client->encoded);
	return send_encoded(client, &command->envelope);
}

enum admin_status command_client_send_issuance(struct command_client *client,
					       const struct issuance *issuance) {
	buffer_clear(&client->encoded);
	codec_encode_issuance(client->codec, issuance, &client->encoded);
	return send_encoded(client, &issuance->envelope);
}

enum admin_status command_client_send_event(struct command_client *client,
					    const struct event_command *event) {
	buffer_clear(&client->encoded);
	codec_encode_event_command(client->codec, event, &client->encoded);
	return send_encoded(client, &event->envelope);
}

enum admin_status command_client_flush(struct command_client *client) {
	return producer_flush(client->producer);
}

bool command_client_is_refused(struct command_client *client) {
	return producer_is_refused(client->producer);
}

const struct producer *command_client_producer(const struct command_client *client) {
	return client->producer;
}

static bool is_of_tenant(const struct record *record, const char *tenant_id) {
	return record->key_len == strlen(tenant_id) &&
	       !memcmp(record->key, tenant_id, record->key_len);
}

/* Compares the key first, which is cheaper than decoding. A record that cannot be decoded is
 * skipped. */
static bool take_outcome(struct command_client *client, const char *tenant_id,
			 struct analytic_event *out) {
	const struct record *record = &client->record;
	const char *why;

	if (!record->value || (tenant_id && !is_of_tenant(record, tenant_id)))
		return false;
	arena_reset(client->scratch);
	return !codec_decode_event(client->codec, client->scratch, record->value, record->len, out,
				   &why) &&
	       out->command_id && (out->step == ANALYTIC_SUCCESS || out->step == ANALYTIC_FAIL);
}

enum reader_event command_client_next_outcome(struct command_client *client, const char *tenant_id,
					      int wait_ms, struct analytic_event *out) {
	int64_t deadline_ms = clock_monotonic_ms() + wait_ms;

	for (;;) {
		int64_t left_ms = MAX(deadline_ms - clock_monotonic_ms(), (int64_t)0);
		enum reader_event event =
		    reader_next(client->results, (int)left_ms, &client->record);

		if (event == READER_FAILED || (event == READER_NOTHING && !left_ms))
			return event;
		if (event == READER_RECORD && take_outcome(client, tenant_id, out))
			return READER_RECORD;
	}
}

enum admin_status command_client_status(const struct command_client *client) {
	return reader_status(client->results);
}

enum admin_status command_client_complain_timeout(const struct command_client *client,
						  const char *what) {
	return reader_complain_timeout(client->results, what, client->timeout_ms);
}

/* Decodes the event again, into the caller's arena. Its bytes are still in `client->record`. */
static enum admin_status keep_outcome(struct command_client *client, struct arena *arena,
				      struct analytic_event *out) {
	const char *why;
	int r = codec_decode_event(client->codec, arena, client->record.value, client->record.len,
				   out, &why);

	invariant(r == 0, "an event that was decoded can be decoded again");
	return ADMIN_OK;
}

enum admin_status command_client_await(struct command_client *client, struct arena *arena,
				       const struct command_envelope *envelope,
				       struct analytic_event *out) {
	int64_t deadline_ms = clock_monotonic_ms() + client->timeout_ms;

	for (;;) {
		int64_t left_ms = MAX(deadline_ms - clock_monotonic_ms(), (int64_t)0);

		switch (
		    command_client_next_outcome(client, envelope->tenant_id, (int)left_ms, out)) {
		case READER_RECORD:
			if (!strcmp(out->command_id, envelope->command_id))
				return keep_outcome(client, arena, out);
			break;
		case READER_FAILED:
			return command_client_status(client);
		case READER_NOTHING:
		case READER_END:
			terminal_complain("no outcome of command %s of tenant %s",
					  envelope->command_id, envelope->tenant_id);
			return command_client_complain_timeout(client, "webhook-results");
		}
	}
}

enum admin_status command_client_call(struct command_client *client, struct arena *arena,
				      const struct command *command, struct analytic_event *out) {
	enum admin_status status = command_client_send_command(client, command);

	if (status == ADMIN_REFUSED) {
		terminal_complain("the command is larger than command.max.bytes");
		return ADMIN_USAGE;
	}
	if (!status)
		status = command_client_flush(client);
	return status ? status : command_client_await(client, arena, &command->envelope, out);
}
