#include "dispatch_expect.h"

#include <errno.h>
#include <stdio.h>

enum { TEXT_SIZE = 4096, REPORTS_MAX = 100 };

static void check_text(const struct script *s, const char *is, const char *expected) {
	if (strcmp(is, expected) != 0)
		fail_msg("\"%s\", step \"%s\": is \"%s\"", s->row->name, s->step, is);
}

static void check_number(const struct script *s, int64_t is, const char *expected) {
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)is);
	check_text(s, text, expected);
}

/* A list of deliveries as text: "A1-3 B1!". */
struct list_text {
	char text[TEXT_SIZE];
	char letter;
	int first, last;
	const char *suffix;
};

static void flush_range(struct list_text *list) {
	size_t len = strlen(list->text);

	if (!list->letter)
		return;
	len += (size_t)snprintf(list->text + len, TEXT_SIZE - len, "%s%c%d", len ? " " : "",
				list->letter, list->first);
	if (list->last > list->first)
		len += (size_t)snprintf(list->text + len, TEXT_SIZE - len, "-%d", list->last);
	snprintf(list->text + len, TEXT_SIZE - len, "%s", list->suffix);
	list->letter = 0;
}

static void append_delivery(struct list_text *list, const struct delivery *delivery,
			    const char *suffix) {
	char letter = (char)delivery->webhook_id.bytes[0];
	int number = number_of(&delivery->id);

	if (letter == list->letter && number == list->last + 1 &&
	    strcmp(suffix, list->suffix) == 0) {
		list->last = number;
		return;
	}
	flush_range(list);
	list->letter = letter;
	list->first = list->last = number;
	list->suffix = suffix;
}

/* The rest of the step behind its verb and so many words. */
static const char *rest_of(const struct script *s, int words) {
	const char *rest = s->step;

	while (words-- >= 0 && rest) {
		rest = strchr(rest, ' ');
		rest = rest ? rest + 1 : NULL;
	}
	return rest ? rest : "";
}

static const char *suffix_of(const struct script *s, const struct job *job) {
	static const char *const suffixes[] = { "", "!", "+", "+!", "*", "*!", "+*", "+*!" };
	bool is_second_url = strcmp(job->route->url, WORLD_SECOND_URL) == 0;
	bool is_later_key = !is_first_key(&s->w, job->route->tenant_id, job->route->signer);

	return suffixes[job->is_probe + 2 * is_second_url + 4 * is_later_key];
}

static void check_sent(struct script *s) {
	struct list_text list = { 0 };

	for (const struct job *job = s->w.engine->submitted.head; job; job = job->next)
		append_delivery(&list, &job->delivery, suffix_of(s, job));
	flush_range(&list);
	fake_engine_accept(s->w.engine);
	check_text(s, list.text, rest_of(s, 0));
}

static void check_dropped(struct script *s) {
	char text[TEXT_SIZE] = "";
	size_t len = 0;

	for (size_t i = 0; i < s->w.engine->drop_count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%c", len ? " " : "",
					s->w.engine->drops[i].bytes[0]);
	s->w.engine->drop_count = 0;
	check_text(s, text, rest_of(s, 0));
}

static void check_due(const struct script *s, const char *expected) {
	int64_t due_ms = dispatcher_next_due_ms(s->w.dispatcher);

	if (due_ms == INT64_MAX)
		check_text(s, "never", expected);
	else if (due_ms <= s->w.now_ms)
		check_text(s, "now", expected);
	else
		check_number(s, due_ms - s->w.now_ms, expected);
}

size_t script_list_cancels(struct script *s, size_t limit, struct dispatch_cancellation **items) {
	size_t count = 0;

	assert_int_equal(
	    dispatcher_list_cancellations(s->w.dispatcher, s->w.arena, limit, items, &count), 0);
	return count;
}

static void check_cancels(struct script *s, size_t limit, const char *expected) {
	struct dispatch_cancellation *items;
	struct list_text list = { 0 };
	size_t count = script_list_cancels(s, limit, &items);

	for (size_t i = 0; i < count; i++) {
		assert_null(items[i].delivery.body);
		assert_int_equal(items[i].partition_id,
				 partition_of(&items[i].delivery.webhook_id));
		append_delivery(&list, &items[i].delivery,
				strcmp(items[i].reason, "webhook-deleted") == 0 ? ":deleted"
										: ":disabled");
	}
	flush_range(&list);
	check_text(s, list.text, expected);
}

size_t script_list_reports(struct script *s, struct dispatch_report **reports) {
	return dispatcher_list_reports(s->w.dispatcher, s->w.arena, REPORTS_MAX, reports);
}

static void check_report_url(struct script *s, const char *expected) {
	struct dispatch_report *reports = NULL;

	assert_int_equal(script_list_reports(s, &reports), 1);
	check_text(s, reports[0].report.url, expected);
}

static void check_reports(struct script *s) {
	struct dispatch_report *reports = NULL;
	size_t count = script_list_reports(s, &reports);
	char text[TEXT_SIZE] = "";
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		const struct endpoint_report *report = &reports[i].report;

		assert_int_equal(reports[i].partition_id, partition_of(&report->webhook_id));
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%c:%s", len ? " " : "",
					report->webhook_id.bytes[0],
					report->is_gone            ? "gone"
					: report->failing_since_ms ? "failing"
								   : "well");
	}
	check_text(s, text, rest_of(s, 0));
}

static bool check_failure(struct script *s, const char *verb, char **words) {
	struct dispatch_cancellation *items;
	int64_t pending;
	size_t count;

	if (strcmp(verb, "refill-fails") == 0)
		assert_int_equal(dispatcher_refill(s->w.dispatcher, s->w.now_ms), -EIO);
	else if (strcmp(verb, "cancels-fail") == 0)
		assert_int_equal(dispatcher_list_cancellations(s->w.dispatcher, s->w.arena,
							       SCRIPT_CANCELS_MAX, &items, &count),
				 -EIO);
	else if (strcmp(verb, "activate-fails") == 0)
		assert_int_equal(dispatcher_activate(s->w.dispatcher,
						     (struct dispatch_partition){
							 (int32_t)strtol(words[0], NULL, 10),
							 (uint32_t)strtol(words[1], NULL, 10) },
						     s->w.now_ms, s->w.now_ms, &pending),
				 -EIO);
	else
		return false;
	return true;
}

static void check_loaded(struct script *s, const char *expected) {
	size_t loaded = s->w.replica.bytes_loaded - s->loaded;

	s->loaded = s->w.replica.bytes_loaded;
	check_number(s, (int64_t)loaded, expected);
}

static bool check_value(struct script *s, const char *verb, char **words) {
	const char *expected = words[0] ? words[0] : "";

	dispatcher_submit(s->w.dispatcher); /* sets the metrics */
	if (strcmp(verb, "due") == 0)
		check_due(s, expected);
	else if (strcmp(verb, "memory") == 0)
		check_number(s, s->w.metrics.outstanding, expected);
	else if (strcmp(verb, "open") == 0)
		check_number(s, s->w.metrics.open_breakers, expected);
	else if (strcmp(verb, "known") == 0)
		check_number(s, s->w.metrics.endpoints, expected);
	else if (strcmp(verb, "gate") == 0)
		check_number(s, s->w.engine->gates[strtol(words[0], NULL, 10)], words[1]);
	else if (strcmp(verb, "pending") == 0)
		check_number(s, s->pending, expected);
	else if (strcmp(verb, "tenant") == 0)
		check_number(s, tenant_pending_get(s->w.tenants, words[0]), words[1]);
	else if (strcmp(verb, "waiting") == 0)
		check_number(s, (int64_t)dispatcher_waiting(s->w.dispatcher), expected);
	else if (strcmp(verb, "loaded") == 0)
		check_loaded(s, expected);
	else
		return false;
	return true;
}

static bool check_list(struct script *s, const char *verb, char **words) {
	if (strcmp(verb, "sent") == 0)
		check_sent(s);
	else if (strcmp(verb, "dropped") == 0)
		check_dropped(s);
	else if (strcmp(verb, "reports") == 0)
		check_reports(s);
	else if (strcmp(verb, "report-url") == 0)
		check_report_url(s, words[0]);
	else if (strcmp(verb, "cancels") == 0)
		check_cancels(s, SCRIPT_CANCELS_MAX, rest_of(s, 0));
	else if (strcmp(verb, "cancels-most") == 0)
		check_cancels(s, (size_t)strtol(words[0], NULL, 10), rest_of(s, 1));
	else
		return false;
	return true;
}

bool script_expect(struct script *s, const char *verb, char **words) {
	return check_list(s, verb, words) || check_failure(s, verb, words) ||
	       check_value(s, verb, words);
}
