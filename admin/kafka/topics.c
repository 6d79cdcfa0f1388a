#include "kafka/topics.h"

#include "base/clock.h"
#include "kafka/admin_api.h"
#include "kafka/topic_rules.h"
#include "rdkafka/refusal.h"

#include <limits.h>
#include <unistd.h>

enum { SETTLE_POLL_US = 50 * 1000 };

static void report_init(struct topics_report *report, const struct config *config) {
	*report = (struct topics_report){ 0 };
	for (int i = 0; i < TOPIC_COUNT; i++)
		report->topics[i].name = topic_name(config->topic_prefix, (enum topic)i);
}

void topics_report_destroy(struct topics_report *report) {
	for (int i = 0; i < TOPIC_COUNT; i++) {
		struct topic_report *topic = &report->topics[i];

		for (size_t k = 0; k < topic->wrong_count; k++)
			free(topic->wrong[k]);
		free(topic->wrong);
		free(topic->name);
	}
	*report = (struct topics_report){ 0 };
}

bool topics_report_is_good(const struct topics_report *report) {
	for (int i = 0; i < TOPIC_COUNT; i++) {
		if (report->topics[i].wrong_count)
			return false;
	}
	return true;
}

bool topics_report_is_usable(const struct topics_report *report) {
	for (int i = 0; i < TOPIC_COUNT; i++) {
		if (report->topics[i].wrong_count > report->topics[i].advice_count)
			return false;
	}
	return true;
}

/* Takes `sentence`; does nothing for NULL. */
static void add_wrong(struct topic_report *topic, char *sentence) {
	if (!sentence)
		return;
	topic->wrong = x_realloc(topic->wrong, (topic->wrong_count + 1) * sizeof(*topic->wrong));
	topic->wrong[topic->wrong_count++] = sentence;
}

static bool has_leaders(const struct rd_kafka_metadata_topic *topic) {
	for (int i = 0; i < topic->partition_cnt; i++) {
		if (topic->partitions[i].leader < 0)
			return false;
	}
	return topic->partition_cnt > 0;
}

static void take_metadata(struct topic_report *report,
			  const struct rd_kafka_metadata_topic *topic) {
	report->exists = true;
	report->partitions = topic->partition_cnt;
	report->replicas = INT_MAX;
	for (int i = 0; i < topic->partition_cnt; i++)
		report->replicas = MIN(report->replicas, topic->partitions[i].replica_cnt);
}

/* Marks the existing topics. `*settled`: all exist, and each partition has a leader. */
static enum admin_status look(struct admin_api *api, struct topics_report *report, bool *settled) {
	const struct rd_kafka_metadata *metadata;
	enum admin_status status = admin_api_metadata(api, &metadata);
	int led = 0;

	if (status)
		return status;
	for (int i = 0; i < metadata->topic_cnt; i++) {
		for (int k = 0; k < TOPIC_COUNT; k++) {
			if (strcmp(metadata->topics[i].topic, report->topics[k].name) != 0)
				continue;
			take_metadata(&report->topics[k], &metadata->topics[i]);
			led += has_leaders(&metadata->topics[i]);
		}
	}
	*settled = led == TOPIC_COUNT;
	rd_kafka_metadata_destroy(metadata);
	return ADMIN_OK;
}

/* What is hidden from this principal can be neither created nor awaited. */
static enum admin_status refuse_hidden(struct admin_api *api, const struct topics_report *report) {
	for (int i = 0; i < TOPIC_COUNT; i++) {
		const char *name = report->topics[i].name;

		if (!report->topics[i].exists && !admin_api_may_describe(api, name))
			return kafka_complain_of(&api->handle, "Describe", "topic", name,
						 RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	}
	return ADMIN_OK;
}

/* The replication factor of new topics: the configured one, else the broker's default. */
static enum admin_status replicas_of_new_topics(struct admin_api *api, const struct config *config,
						int *out) {
	_cleanup_(x_freep) char *value = NULL;
	enum admin_status status;

	*out = config->topic_replication_factor;
	if (*out > 0)
		return ADMIN_OK;
	status = admin_api_broker_setting(api, "default.replication.factor", &value);
	*out = value ? atoi(value) : 1;
	return status;
}

static rd_kafka_NewTopic_t *new_topic(const struct config *config, enum topic topic,
				      const char *name, int replicas) {
	char why[256];
	rd_kafka_NewTopic_t *new = rd_kafka_NewTopic_new(
	    name, config->topic_partitions, config->topic_replication_factor, why, sizeof(why));

	if (!new) {
		terminal_complain("%s: %s", name, why);
		return NULL;
	}
	for (const struct topic_rule *rule = topic_rules; rule->setting; rule++) {
		_cleanup_(x_freep) char *value = topic_rule_value(rule, config);

		if (topic_rule_concerns(rule, topic, replicas))
			rd_kafka_NewTopic_set_config(new, rule->setting, value);
	}
	return new;
}

/* A topic that another program has just created counts as existing. */
static enum admin_status take_created(struct admin_api *api, rd_kafka_event_t *event,
				      struct topics_report *report) {
	size_t count;
	const rd_kafka_topic_result_t **results =
	    rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
	enum admin_status status = ADMIN_OK;

	for (size_t i = 0; i < count; i++) {
		rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[i]);
		const char *name = rd_kafka_topic_result_name(results[i]);
		const char *why = rd_kafka_topic_result_error_string(results[i]);

		if (error && error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
			status = kafka_complain_of(&api->handle, "Create", "topic", name, error);
			if (!refusal_cause(error))
				terminal_complain("%s: %s", name,
						  why ? why : "no reason was given");
		}
		for (int k = 0; !error && k < TOPIC_COUNT; k++)
			report->topics[k].created |= !strcmp(report->topics[k].name, name);
	}
	return status;
}

static enum admin_status create_missing(struct admin_api *api, const struct config *config,
					struct topics_report *report) {
	rd_kafka_NewTopic_t *missing[TOPIC_COUNT];
	int replicas;
	enum admin_status status = replicas_of_new_topics(api, config, &replicas);
	rd_kafka_event_t *event = NULL;
	size_t count = 0;

	for (int i = 0; !status && i < TOPIC_COUNT; i++) {
		if (report->topics[i].exists)
			continue;
		missing[count] = new_topic(config, (enum topic)i, report->topics[i].name, replicas);
		if (missing[count])
			count++;
		else
			status = ADMIN_USAGE;
	}
	if (!status && count)
		status = admin_api_create_topics(api, missing, count, &event);
	rd_kafka_NewTopic_destroy_array(missing, count);
	if (!status && event)
		status = take_created(api, event, report);
	if (event)
		rd_kafka_event_destroy(event);
	return status;
}

/* Waits until every broker knows the new topics. */
static enum admin_status wait_until_settled(struct admin_api *api, struct topics_report *report) {
	int64_t deadline_ms = clock_monotonic_ms() + api->timeout_ms;
	enum admin_status status;
	bool settled = false;

	while (!(status = look(api, report, &settled)) && !settled) {
		if (clock_monotonic_ms() > deadline_ms)
			return kafka_complain_timeout(&api->handle, "leaders of the new topics",
						      api->timeout_ms);
		usleep(SETTLE_POLL_US);
	}
	return status;
}

static char *explain_absence(struct admin_api *api, struct topic_report *topic) {
	topic->hidden = !admin_api_may_describe(api, topic->name);
	return topic->hidden ? refusal_sentence(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
						"Describe", "topic", topic->name)
			     : x_strdup("does not exist (topics create creates it)");
}

static void check_partitions(struct admin_api *api, const struct config *config,
			     struct topics_report *report) {
	int expected = config->topic_partitions;

	/* A tenant has the same partition in all of them. Their number is free once the topics
	 * exist. */
	if (report->topics[TOPIC_ADMIN].exists)
		expected = report->topics[TOPIC_ADMIN].partitions;
	for (int i = 0; i < TOPIC_COUNT; i++) {
		struct topic_report *topic = &report->topics[i];

		if (!topic->exists)
			add_wrong(topic, explain_absence(api, topic));
		else if (topic->partitions != expected && i != TOPIC_RESULTS &&
			 i != TOPIC_DEAD_LETTERS)
			add_wrong(topic,
				  x_asprintf("has %d partitions, %s has %d: they must be equal",
					     topic->partitions, report->topics[TOPIC_ADMIN].name,
					     expected));
	}
}

static void check_setting(const struct config *config, struct topic_report *topic,
			  const struct topic_rule *rule, const char *value) {
	char *wrong = topic_rule_check(rule, config, value);

	topic->advice_count += wrong && !topic->created && topic_rule_is_advice(rule);
	add_wrong(topic, wrong);
}

static void check_settings(const struct config *config, struct topic_report *topic,
			   enum topic which, const rd_kafka_ConfigResource_t *resource) {
	if (rd_kafka_ConfigResource_error(resource)) {
		add_wrong(topic, refusal_sentence(rd_kafka_ConfigResource_error(resource),
						  "DescribeConfigs", "topic", topic->name));
		return;
	}
	for (const struct topic_rule *rule = topic_rules; rule->setting; rule++) {
		if (topic_rule_concerns(rule, which, topic->replicas))
			check_setting(config, topic, rule,
				      admin_api_setting(resource, rule->setting));
	}
}

static bool are_known(rd_kafka_event_t *event) {
	size_t count;
	const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
	    rd_kafka_event_DescribeConfigs_result(event), &count);

	for (size_t i = 0; i < count; i++) {
		if (rd_kafka_ConfigResource_error(resources[i]) ==
		    RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
			return false;
	}
	return true;
}

/* Asks until the broker knows all topics: a new one may so far be known to another broker only. */
static enum admin_status describe_until_known(struct admin_api *api, const char *const *existing,
					      size_t count, rd_kafka_event_t **out) {
	int64_t deadline_ms = clock_monotonic_ms() + api->timeout_ms;
	enum admin_status status;

	while (!(status = admin_api_describe(api, RD_KAFKA_RESOURCE_TOPIC, existing, count, out)) &&
	       !are_known(*out) && clock_monotonic_ms() < deadline_ms) {
		rd_kafka_event_destroy(*out);
		usleep(SETTLE_POLL_US);
	}
	return status;
}

static enum admin_status describe_existing(struct admin_api *api, const struct config *config,
					   struct topics_report *report) {
	const char *existing[TOPIC_COUNT];
	const rd_kafka_ConfigResource_t **resources;
	enum admin_status status;
	rd_kafka_event_t *event;
	size_t count = 0;

	for (int i = 0; i < TOPIC_COUNT; i++) {
		if (report->topics[i].exists)
			existing[count++] = report->topics[i].name;
	}
	if (!count)
		return ADMIN_OK;
	status = describe_until_known(api, existing, count, &event);
	if (status)
		return status;
	resources = rd_kafka_DescribeConfigs_result_resources(
	    rd_kafka_event_DescribeConfigs_result(event), &count);
	for (size_t i = 0; i < count; i++) {
		for (int k = 0; k < TOPIC_COUNT; k++) {
			if (!strcmp(report->topics[k].name,
				    rd_kafka_ConfigResource_name(resources[i])))
				check_settings(config, &report->topics[k], (enum topic)k,
					       resources[i]);
		}
	}
	rd_kafka_event_destroy(event);
	return ADMIN_OK;
}

static enum admin_status check_all(struct admin_api *api, const struct config *config,
				   struct topics_report *report) {
	check_partitions(api, config, report);
	return describe_existing(api, config, report);
}

enum admin_status topics_create(const struct config *config, int64_t timeout_ms,
				struct topics_report *report) {
	_cleanup_(admin_api_close) struct admin_api api;
	enum admin_status status = admin_api_open(&api, config, timeout_ms);
	bool settled;

	report_init(report, config);
	if (!status)
		status = look(&api, report, &settled);
	if (!status)
		status = refuse_hidden(&api, report);
	if (!status && !settled)
		status = create_missing(&api, config, report);
	if (!status)
		status = wait_until_settled(&api, report);
	return status ? status : check_all(&api, config, report);
}

enum admin_status topics_inspect(const struct config *config, int64_t timeout_ms,
				 struct topics_report *report) {
	_cleanup_(admin_api_close) struct admin_api api;
	enum admin_status status = admin_api_open(&api, config, timeout_ms);
	bool settled;

	report_init(report, config);
	if (!status)
		status = look(&api, report, &settled);
	return status ? status : check_all(&api, config, report);
}
