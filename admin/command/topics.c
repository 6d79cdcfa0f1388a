#include "kafka/topics.h"

#include "command/command.h"
#include "terminal/output.h"
#include "terminal/table.h"

#include <stdio.h>

enum { REPORT_MAX = 1024 * 1024 };

static void append_json_topic(struct buffer *out, const struct topic_report *topic) {
	buffer_append_string(out, "{\"topic\":");
	buffer_append_json_string(out, topic->name);
	buffer_printf(out,
		      ",\"exists\":%s,\"created\":%s,\"partitions\":%d,\"replicas\":%d,\"wrong\":[",
		      topic->exists ? "true" : "false", topic->created ? "true" : "false",
		      topic->partitions, topic->replicas);
	for (size_t i = 0; i < topic->wrong_count; i++) {
		if (i)
			buffer_append_char(out, ',');
		buffer_append_json_string(out, topic->wrong[i]);
	}
	buffer_append_string(out, "]}");
}

static enum admin_status print_json(const struct topics_report *report) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(REPORT_MAX);

	buffer_append_string(&out, "{\"topics\":[");
	for (int i = 0; i < TOPIC_COUNT; i++) {
		if (i)
			buffer_append_char(&out, ',');
		append_json_topic(&out, &report->topics[i]);
	}
	buffer_printf(&out, "],\"good\":%s}\n", topics_report_is_good(report) ? "true" : "false");
	return terminal_print_buffer(stdout, "topics", &out);
}

static const char *state_of(const struct topic_report *topic) {
	if (!topic->exists)
		return topic->hidden ? "hidden" : "missing";
	if (topic->wrong_count)
		return topic->wrong_count > topic->advice_count ? "wrong" : "short";
	return topic->created ? "created" : "good";
}

static void print_table(const struct topics_report *report) {
	_cleanup_(table_destroy) struct table table =
	    table_new(4, (const char *const[]){ "TOPIC", "PARTITIONS", "REPLICAS", "STATE" });

	for (int i = 0; i < TOPIC_COUNT; i++) {
		const struct topic_report *topic = &report->topics[i];
		_cleanup_(x_freep) char *partitions = x_asprintf("%d", topic->partitions);
		_cleanup_(x_freep) char *replicas = x_asprintf("%d", topic->replicas);

		table_add(&table, (const char *const[]){ topic->name, partitions, replicas,
							 state_of(topic) });
	}
	table_print(&table);
	for (int i = 0; i < TOPIC_COUNT; i++) {
		for (size_t k = 0; k < report->topics[i].wrong_count; k++)
			printf("%s: %s\n", report->topics[i].name, report->topics[i].wrong[k]);
	}
}

static enum admin_status show(const struct invocation *invocation,
			      const struct topics_report *report) {
	if (invocation->json)
		return print_json(report);
	print_table(report);
	return ADMIN_OK;
}

static enum admin_status create_topics(const struct invocation *invocation) {
	_cleanup_(topics_report_destroy) struct topics_report report;
	enum admin_status status =
	    topics_create(invocation->config, invocation->timeout_ms, &report);

	if (!status)
		status = show(invocation, &report);
	return status || topics_report_is_usable(&report) ? status : ADMIN_REFUSED;
}

static enum admin_status check_topics(const struct invocation *invocation) {
	_cleanup_(topics_report_destroy) struct topics_report report;
	enum admin_status status =
	    topics_inspect(invocation->config, invocation->timeout_ms, &report);

	if (!status)
		status = show(invocation, &report);
	return status || topics_report_is_good(&report) ? status : ADMIN_REFUSED;
}

const struct subcommand topics_subcommands[] = {
	{
	    .family = "topics",
	    .verb = "create",
	    .summary = "create missing topics, and check all",
	    .details = "By topic.prefix, topic.partitions, topic.replication.factor and\n"
		       "topic.retention.*.\n"
		       "Existing topics are checked and not changed. Where one keeps its\n"
		       "records for too short, that is told, and no failure here.\n",
	    .examples = "topics create --config posthorn.properties\n"
			"topics create --set kafka.bootstrap.servers=127.0.0.1:9092 --set "
			"topic.partitions=24\n",
	    .needs = CONFIG_NEED_KAFKA,
	    .run = create_topics,
	},
	{
	    .family = "topics",
	    .verb = "check",
	    .summary = "check partitions and settings of the topics; exit 1 for a deviation",
	    .examples = "topics check --config posthorn.properties\n"
			"topics check --config posthorn.properties --json\n",
	    .needs = CONFIG_NEED_KAFKA,
	    .run = check_topics,
	},
	{ 0 },
};
