#include "command/replay.h"

#include "base/clock.h"
#include "command/command.h"
#include "command/dead_letter_walk.h"
#include "kafka/producer.h"
#include "kafka/record_codec.h"
#include "terminal/clean.h"
#include "terminal/interrupt.h"
#include "terminal/output.h"

#include <inttypes.h>
#include <stdio.h>

enum { LINE_MAX_BYTES = 64 * 1024 * 1024 };

/* Indexed by enum topic. */
struct producers {
	struct producer *of[TOPIC_COUNT]; /* owned; NULL: not used, or a dry run */
};

struct run {
	const struct invocation *invocation;
	struct arena *arena;
	struct dead_letter_filter filter;
	struct producers producers;
	bool rekeys, is_dry;
	uint64_t sent, not_sent, unacknowledged, unprinted;
};

/* A letter's name and target, for messages. */
struct letter_name {
	int32_t partition;
	int64_t offset;
	char *topic, *key; /* owned; a NULL key: none */
};

static struct letter_name *letter_name_new(const struct dead_letter *letter, const char *key) {
	struct letter_name *name = x_calloc(1, sizeof(*name));

	name->partition = letter->record->partition;
	name->offset = letter->record->offset;
	name->topic = x_strdup(letter->topic);
	name->key = key ? x_strdup(key) : NULL;
	return name;
}

static void letter_name_free(struct letter_name *name) {
	free(name->topic);
	free(name->key);
	free(name);
}
DEFINE_CLEANUP(struct letter_name, letter_name_free)

static void print_json(struct run *run, const struct letter_name *name, const char *result,
		       const char *why) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(LINE_MAX_BYTES);

	buffer_printf(&out, "{\"partition\":%d,\"offset\":%" PRId64 ",\"topic\":", name->partition,
		      name->offset);
	buffer_append_json_string(&out, name->topic);
	buffer_append_string(&out, ",\"key\":");
	buffer_append_json_string_or_null(&out, name->key);
	buffer_printf(&out, ",\"result\":\"%s\",\"why\":", result);
	buffer_append_json_string_or_null(&out, why);
	buffer_append_string(&out, "}\n");
	if (terminal_print_buffer(stdout, "dead-letters replay", &out))
		run->unprinted++;
}

static void say_not_sent(struct run *run, const struct letter_name *name, const char *why) {
	run->not_sent++;
	terminal_complain("%d:%" PRId64 " is not sent: %s", name->partition, name->offset, why);
	if (run->invocation->json)
		print_json(run, name, "not-sent", why);
}

static void say_sent(struct run *run, const struct letter_name *name) {
	run->sent++;
	if (run->invocation->json)
		print_json(run, name, "sent", NULL);
}

static void say_would_be_sent(struct run *run, struct letter_name *name) {
	run->sent++;
	if (run->invocation->json) {
		print_json(run, name, "would-be-sent", NULL);
		return;
	}
	terminal_clean(name->topic);
	if (name->key)
		terminal_clean(name->key);
	printf("%d:%" PRId64 " would be sent to %s with %s%s\n", name->partition, name->offset,
	       name->topic, name->key ? "key " : "no key", name->key ? name->key : "");
}

static void on_report(void *userdata, void *tag, const char *why) {
	_cleanup_(letter_name_freep) struct letter_name *name = tag;
	struct run *run = userdata;

	run->unacknowledged--;
	if (why)
		say_not_sent(run, name, why);
	else
		say_sent(run, name);
}

/* The reason why a letter cannot be replayed; NULL: it can. */
static const char *refusal(const struct run *run, const struct dead_letter *letter) {
	if (!letter->reason[0] || !letter->topic[0])
		return "it has no posthorn.error headers: no worker wrote it";
	if (!letter->is_input)
		return arena_printf(
		    run->arena,
		    "it came from %s, which is no topic of commands here (topic.prefix is \"%s\")",
		    letter->topic,
		    run->invocation->config->topic_prefix ? run->invocation->config->topic_prefix
							  : "");
	if (dead_letter_is_cut(letter))
		return arena_printf(
		    run->arena,
		    "it was too large and not kept whole (%s): only its producer can send it again",
		    dead_letter_missing(run->arena, letter));
	return NULL;
}

/* Whether posthorn has added the header; all others are the original's. */
static bool is_ours(const char *name) {
	static const char *const ours[] = { "posthorn.error.", "posthorn.replay.",
					    "posthorn.rerouted." };

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (!strncmp(name, ours[i], strlen(ours[i])))
			return true;
	return false;
}

static void add_number(struct arena *arena, struct record_header *out, const char *name,
		       int64_t number) {
	const char *text = arena_printf(arena, "%" PRId64, number);

	*out = (struct record_header){ .name = name, .value = text, .len = strlen(text) };
}

/* Returns the number of headers, which live in the arena and in the record. */
static size_t headers_of(struct arena *arena, const struct record *record,
			 struct record_header **out) {
	struct record_header *headers, one;
	size_t total = 0, count = 0;

	while (record_header_at(record, total, &one))
		total++;
	headers = arena_alloc(arena, (total + 3) * sizeof(*headers));
	for (size_t i = 0; i < total; i++) {
		if (record_header_at(record, i, &one) && !is_ours(one.name))
			headers[count++] = one;
	}
	add_number(arena, &headers[count++], "posthorn.replay.partition", record->partition);
	add_number(arena, &headers[count++], "posthorn.replay.offset", record->offset);
	add_number(arena, &headers[count++], "posthorn.replay.timestamp", clock_wall_ms());
	*out = headers;
	return count;
}

static enum admin_status send_letter(struct run *run, const struct dead_letter *letter,
				     struct letter_name *name) {
	bool rekeys = run->rekeys && letter->tenant_id;
	struct record_header *headers;
	struct produced_record record = { .key = rekeys ? letter->tenant_id : letter->record->key,
					  .key_len = rekeys ? strlen(letter->tenant_id)
							    : letter->record->key_len,
					  .value = letter->record->value,
					  .len = letter->record->len,
					  .tag = name };
	enum admin_status status;

	record.header_count = headers_of(run->arena, letter->record, &headers);
	record.headers = headers;
	run->unacknowledged++;
	status = producer_send(run->producers.of[letter->input], &record);
	if (status)
		on_report(run, name, "it could not be queued");
	return status;
}

static enum admin_status replay_letter(void *userdata, const struct dead_letter *letter) {
	struct run *run = userdata;
	const char *key = run->rekeys && letter->tenant_id ? letter->tenant_id
							   : dead_letter_key(run->arena, letter);
	const char *why = refusal(run, letter);
	_cleanup_(letter_name_freep) struct letter_name *name = letter_name_new(letter, key);

	if (interrupt_came())
		return ADMIN_INTERRUPTED;
	if (why) {
		say_not_sent(run, name, why);
		return ADMIN_OK;
	}
	if (run->is_dry) {
		say_would_be_sent(run, name);
		return ADMIN_OK;
	}
	return send_letter(run, letter, TAKE(name));
}

static void close_producers(struct producers *producers) {
	for (int i = 0; i < TOPIC_COUNT; i++)
		producer_closep(&producers->of[i]);
}

static enum admin_status open_producer(struct run *run, enum topic input) {
	_cleanup_(x_freep) char *topic = topic_name(run->invocation->config->topic_prefix, input);
	const struct producer_options options = { .topic = topic,
						  .timeout_ms = run->invocation->timeout_ms,
						  .each_alone = true,
						  .on_report = on_report,
						  .on_report_userdata = run };

	return producer_open(run->invocation->config, &options, &run->producers.of[input]);
}

/* Waits until each letter is acknowledged, or printed as not sent. A letter that its topic refuses
 * is no failure of the flush; a timeout is one. */
static enum admin_status flush(struct run *run) {
	enum admin_status status = ADMIN_OK;

	for (int i = 0; i < TOPIC_COUNT; i++) {
		enum admin_status one =
		    run->producers.of[i] ? producer_flush(run->producers.of[i]) : ADMIN_OK;

		if (one == ADMIN_NO_OUTCOME)
			status = one;
	}
	return status;
}

static void show_summary(const struct run *run) {
	if (run->invocation->json)
		return;
	if (run->is_dry)
		printf("%" PRIu64 " would be sent, %" PRIu64 " cannot be\n", run->sent,
		       run->not_sent);
	else
		printf("%" PRIu64 " sent and acknowledged, %" PRIu64 " not sent\n", run->sent,
		       run->not_sent + run->unacknowledged);
}

static enum admin_status walk_and_flush(struct run *run, const struct dead_letter_walk *walk) {
	enum admin_status status = dead_letter_walk(run->invocation, walk);
	enum admin_status flushed = flush(run);

	if (!status)
		status = flushed ? flushed : dead_letter_filter_complain_unseen(&run->filter);
	show_summary(run);
	return status ? status : run->not_sent || run->unprinted ? ADMIN_REFUSED : ADMIN_OK;
}

static enum admin_status replay_with(struct run *run) {
	_cleanup_(codec_freep) struct codec *codec = record_codec_new(run->invocation->config);
	const struct dead_letter_walk walk = { .filter = &run->filter,
					       .codec = codec,
					       .arena = run->arena,
					       .fn = replay_letter,
					       .userdata = run };
	enum admin_status status = codec ? ADMIN_OK : ADMIN_USAGE;

	if (!status && !run->is_dry)
		status = open_producer(run, TOPIC_ADMIN);
	if (!status && !run->is_dry)
		status = open_producer(run, TOPIC_ISSUANCE);
	if (!status && !run->is_dry)
		status = open_producer(run, TOPIC_EVENTS);
	if (!status) {
		interrupt_catch();
		status = walk_and_flush(run, &walk);
	}
	close_producers(&run->producers);
	return status;
}

static enum admin_status check_choice(const struct invocation *invocation,
				      const struct dead_letter_filter *filter) {
	bool chosen = filter->tenant_id || filter->reason || filter->topic || filter->has_since ||
		      filter->places;
	bool all = arguments_has(invocation->arguments, "all");

	if (chosen == !all)
		return ADMIN_OK;
	terminal_complain(
	    chosen ? "--all cannot be combined with --at, --tenant, --reason, --topic or --since"
		   : "one of --at, --tenant, --reason, --topic, --since and --all is needed");
	return ADMIN_USAGE;
}

enum admin_status replay(const struct invocation *invocation) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct run run = { .invocation = invocation,
			   .arena = arena,
			   .rekeys = arguments_has(invocation->arguments, "rekey"),
			   .is_dry = arguments_has(invocation->arguments, "dry-run") };
	enum admin_status status = dead_letter_filter_read(invocation, &run.filter);

	if (!status)
		status = check_choice(invocation, &run.filter);
	if (!status)
		status = replay_with(&run);
	dead_letter_filter_destroy(&run.filter);
	return status;
}
