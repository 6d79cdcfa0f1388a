#include "dispatch_expect.h"
#include "domain/endpoint_report.h"
#include "domain/event_type.h"

#include <errno.h>

enum { RETRY_MS = 10 * 1000 };

/* Deliveries of a step. */

struct range {
	char letter;
	int first, last;
	int64_t due_ms;
};

static struct range parse_range(const struct script *s, const char *word) {
	struct range range = { .letter = word[0], .due_ms = s->w.now_ms };
	char *end;

	range.first = range.last = (int)strtol(word + 1, &end, 10);
	if (*end == '-')
		range.last = (int)strtol(end + 1, &end, 10);
	if (*end == '@')
		range.due_ms += strtol(end + 1, &end, 10);
	if (*end)
		fail_msg("\"%s\" is no delivery, in \"%s\"", word, s->step);
	return range;
}

static struct delivery make_delivery(struct script *s, const struct range *range, int number) {
	char *body = arena_alloc(s->w.arena, s->body_len + 1);

	memset(body, 'x', s->body_len);
	make_webhook(&s->w, range->letter);
	return (struct delivery){ .id = delivery_id_of(range->letter, number),
				  .webhook_id = webhook_id_of(range->letter),
				  .tenant_id = tenant_name_of(&s->w, range->letter),
				  .command_id = "command",
				  .event_type = EVENT_TYPE_WEBHOOK_TEST,
				  .body = body,
				  .body_len = s->body_len,
				  .created_at_ms = s->w.now_ms,
				  .next_attempt_at_ms = range->due_ms,
				  /* Further ahead than the schedule it would count as due (R10). */
				  .attempts = range->due_ms > s->w.now_ms };
}

enum telling { PUT, ADD, ADD_BRIEF, RESEND };

static void record_deliveries(struct script *s, const char *word, enum telling telling) {
	struct range range = parse_range(s, word);

	for (int number = range.first; number <= range.last; number++) {
		struct delivery delivery = make_delivery(s, &range, number);
		struct dispatch_added added = { .partition = partition_at(&s->w, range.letter),
						.delivery = delivery,
						.is_whole = telling != ADD_BRIEF,
						.is_asked_for = telling == RESEND };

		put_delivery(&s->w, &delivery);
		if (telling == ADD_BRIEF)
			added.delivery = delivery_without_texts(&delivery);
		if (telling != PUT)
			dispatcher_add_delivery(s->w.dispatcher, &added, s->w.now_ms);
	}
}

/* Outcomes. */

static void reschedule(struct script *s, const struct delivery *delivery, int64_t wait_ms) {
	struct delivery again = delivery_copy(s->w.arena, delivery);
	struct dispatch_added added = {
		.partition = partition_at(&s->w, (char)delivery->webhook_id.bytes[0]),
	};

	again.attempts++;
	again.last_status = 429; /* so that R10 allows a day */
	again.next_attempt_at_ms = s->w.now_ms + wait_ms;
	added.delivery = delivery_without_texts(&again);
	put_delivery(&s->w, &again);
	dispatcher_add_delivery(s->w.dispatcher, &added, s->w.now_ms);
}

static void commit_outcome(struct script *s, struct job *job) {
	const struct attempt_result *result = &job->result;

	dispatcher_return_job(s->w.dispatcher, job, s->w.now_ms);
	if (job->end != JOB_ATTEMPTED)
		return;
	if (result->reason == ATTEMPT_OK || attempt_is_gone(result))
		delete_delivery(&s->w, &job->delivery);
	else
		reschedule(s, &job->delivery, MAX(result->retry_after_ms, (int64_t)RETRY_MS));
}

static void end_jobs(struct script *s, const char *word, enum job_end end,
		     struct attempt_result result) {
	struct range range = parse_range(s, word);

	result.finished_at_ms = s->w.now_ms;
	for (int number = range.first; number <= range.last; number++) {
		struct uuid id = delivery_id_of(range.letter, number);
		_cleanup_(job_freep) struct job *job = fake_engine_take(s->w.engine, &id);

		if (!job)
			fail_msg("\"%s\", step \"%s\": %c%d is not in the engine", s->row->name,
				 s->step, range.letter, number);
		job->end = end;
		job->hold_ms = end == JOB_REFUSED ? result.retry_after_ms : 0;
		job->result = result;
		commit_outcome(s, job);
	}
}

static struct attempt_result status_result(int32_t status, int64_t retry_after_ms) {
	return (struct attempt_result){ .reason = status < 300 ? ATTEMPT_OK : ATTEMPT_STATUS,
					.status = status,
					.duration_ms = 5,
					.retry_after_ms = retry_after_ms };
}

static bool run_outcome(struct script *s, const char *verb, char **words, int count) {
	enum job_end end = JOB_ATTEMPTED;
	struct attempt_result result = status_result(200, -1);
	int first = 0;

	if (strcmp(verb, "late") == 0)
		result.duration_ms = 2000;
	else if (strcmp(verb, "fail") == 0)
		result = status_result(500, -1);
	else if (strcmp(verb, "503") == 0)
		result = status_result(503, -1);
	else if (strcmp(verb, "gone") == 0)
		result = status_result(410, -1);
	else if (strcmp(verb, "wait") == 0)
		result = status_result(429, strtol(words[first++], NULL, 10));
	else if (strcmp(verb, "internal") == 0)
		result =
		    (struct attempt_result){ .reason = ATTEMPT_INTERNAL, .retry_after_ms = -1 };
	else if (strcmp(verb, "refused") == 0)
		end = JOB_REFUSED, result.retry_after_ms = 0;
	else if (strcmp(verb, "held") == 0)
		end = JOB_REFUSED, result.retry_after_ms = strtol(words[first++], NULL, 10);
	else if (strcmp(verb, "ok") != 0)
		return false;
	for (int i = first; i < count; i++)
		end_jobs(s, words[i], end, result);
	return true;
}

/* Webhooks and keys. */

static void commit_webhook(struct script *s, char letter, const struct webhook *webhook) {
	struct uuid id = webhook_id_of(letter);

	dispatcher_update_webhook(s->w.dispatcher, &id, webhook);
}

static void delete_webhook(struct script *s, char letter) {
	fake_replica_delete(&s->w.replica,
			    &(struct state_key){ .kind = STATE_WEBHOOK,
						 .tenant_id = tenant_name_of(&s->w, letter),
						 .id = webhook_id_of(letter) });
	commit_webhook(s, letter, NULL);
}

static void change_keys(struct script *s, char **words, int count) {
	const char *tenants[SCRIPT_WORDS_MAX];

	for (int i = 0; i < count; i++) {
		put_key(&s->w, words[i][0]);
		tenants[i] = tenant_name_of(&s->w, words[i][0]);
	}
	dispatcher_update_keys(s->w.dispatcher, tenants, (size_t)count);
}

static void delete_keys(struct script *s, char letter) {
	const char *tenant = tenant_name_of(&s->w, letter);
	struct signing_key key;

	while (s->w.replica.registry.registry.signing_key_newest(&s->w.replica.registry, s->w.arena,
								 tenant, &key) == 0)
		fake_replica_delete(&s->w.replica, &(struct state_key){ .kind = STATE_SIGNING_KEY,
									.tenant_id = tenant,
									.name = key.kid });
	dispatcher_update_keys(s->w.dispatcher, &tenant, 1);
}

static bool run_webhook(struct script *s, const char *verb, char **words, int count) {
	struct webhook *webhook;

	if (strcmp(verb, "keys") == 0) {
		change_keys(s, words, count);
		return true;
	}
	if (count < 1 || !strstr(" move disable enable delete note told rate unkey ", verb))
		return false;
	make_webhook(&s->w, words[0][0]);
	webhook = find_webhook(&s->w, words[0][0]);
	if (strcmp(verb, "unkey") == 0) {
		delete_keys(s, words[0][0]);
		return true;
	}
	if (strcmp(verb, "delete") == 0) {
		delete_webhook(s, words[0][0]);
		return true;
	}
	if (strcmp(verb, "rate") == 0) {
		webhook->rate_limit = (int32_t)strtol(words[1], NULL, 10);
		return true;
	}
	if (strcmp(verb, "note") == 0) {
		int64_t ago_ms = strtol(words[1], NULL, 10);

		webhook->failing_since_ms = ago_ms ? s->w.now_ms - ago_ms : 0;
	} else if (strcmp(verb, "told") == 0) {
		webhook->told.failing_since_ms = strtol(words[1], NULL, 10);
	} else {
		webhook->updated_at_ms = s->w.now_ms;
		webhook->failing_since_ms = 0;
		webhook->disabled = strcmp(verb, "disable") == 0;
		if (strcmp(verb, "move") == 0)
			webhook->url = WORLD_SECOND_URL;
	}
	commit_webhook(s, words[0][0], webhook);
	return true;
}

/* Partitions and time. */

static bool run_partition(struct script *s, const char *verb, char **words) {
	int32_t id = words[0] ? (int32_t)strtol(words[0], NULL, 10) : 0;

	if (strcmp(verb, "activate") == 0) {
		struct dispatch_partition partition = { id, (uint32_t)strtol(words[1], NULL, 10) };
		int64_t ahead_ms = words[2] ? strtol(words[2], NULL, 10) : 0;

		assert_int_equal(dispatcher_activate(s->w.dispatcher, partition,
						     s->w.now_ms + ahead_ms, s->w.now_ms,
						     &s->pending),
				 0);
	} else if (strcmp(verb, "suspend") == 0) {
		dispatcher_suspend(s->w.dispatcher, id);
	} else if (strcmp(verb, "forget") == 0) {
		dispatcher_forget(s->w.dispatcher, id);
	} else {
		return false;
	}
	return true;
}

static bool run_time(struct script *s, const char *verb, char **words) {
	if (verb[0] == '+') {
		s->w.now_ms += strtol(verb + 1, NULL, 10);
		world_monotonic_ms += strtol(verb + 1, NULL, 10);
	} else if (strcmp(verb, "step") == 0) {
		s->w.now_ms += strtol(words[0], NULL, 10);
	} else if (strcmp(verb, "slow") == 0) {
		world_monotonic_step_ms = strtol(words[0], NULL, 10);
	} else {
		return false;
	}
	return true;
}

/* Steps. */

static void end_cancels(struct script *s) {
	struct dispatch_cancellation *items;
	size_t count = script_list_cancels(s, SCRIPT_CANCELS_MAX, &items);

	for (size_t i = 0; i < count; i++)
		delete_delivery(&s->w, &items[i].delivery);
}

/* As the pipeline does: a webhook keeps since when its endpoint fails, or is disabled. */
static void commit_report(struct script *s, const struct endpoint_report *report) {
	char letter = (char)report->webhook_id.bytes[0];
	struct webhook *webhook = find_webhook(&s->w, letter);

	webhook->failing_since_ms = report->failing_since_ms;
	if (report->is_gone || (report->failing_since_ms &&
				s->w.now_ms - report->failing_since_ms >= WORLD_DISABLE_AFTER_MS)) {
		webhook->disabled = true;
		webhook->updated_at_ms = s->w.now_ms;
	}
	commit_webhook(s, letter, webhook);
}

static void commit_reports(struct script *s) {
	struct dispatch_report *reports;
	size_t count = script_list_reports(s, &reports);

	dispatcher_end_reports(s->w.dispatcher, count);
	for (size_t i = 0; i < count; i++)
		commit_report(s, &reports[i].report);
}

static bool run_setting(struct script *s, const char *verb, char **words) {
	if (strcmp(verb, "bodies") == 0) {
		s->body_len = (size_t)strtol(words[0], NULL, 10);
	} else if (strcmp(verb, "limits") == 0) {
		assert_null(s->w.dispatcher);
		s->w.config.delivery_max_in_flight = (int)strtol(words[0], NULL, 10);
		s->w.config.delivery_max_in_flight_per_endpoint = (int)strtol(words[1], NULL, 10);
	} else if (strcmp(verb, "notify") == 0) {
		assert_null(s->w.dispatcher);
		s->w.config.endpoint_failing_notify_after_ms = strtol(words[0], NULL, 10);
	} else {
		return false;
	}
	return true;
}

static bool run_other(struct script *s, const char *verb, char **words, int count) {
	static const char *const tellings[] = { "put", "add", "add-brief", "resend" };

	for (size_t i = 0; i < ARRAY_LEN(tellings); i++)
		if (strcmp(verb, tellings[i]) == 0) {
			for (int k = 0; k < count; k++)
				record_deliveries(s, words[k], (enum telling)i);
			return true;
		}
	if (strcmp(verb, "refill") == 0)
		assert_int_equal(dispatcher_refill(s->w.dispatcher, s->w.now_ms), 0);
	else if (strcmp(verb, "broken") == 0)
		s->w.replica.error = words[0][0] == '1' ? -EIO : 0;
	else if (strcmp(verb, "end-reports") == 0)
		dispatcher_end_reports(s->w.dispatcher, (size_t)strtol(words[0], NULL, 10));
	else if (strcmp(verb, "commit-reports") == 0)
		commit_reports(s);
	else if (strcmp(verb, "end-cancels") == 0)
		end_cancels(s);
	else
		return false;
	return true;
}

static void run_step(struct script *s, char *step) {
	char *words[SCRIPT_WORDS_MAX] = { NULL },
	     *text = arena_strndup(s->w.arena, step, strlen(step)), *place;
	int count = 0;

	s->step = step;
	for (char *word = strtok_r(text, " ", &place); word; word = strtok_r(NULL, " ", &place)) {
		assert_in_range(count, 0, SCRIPT_WORDS_MAX - 2);
		words[count++] = word;
	}
	if (run_setting(s, words[0], words + 1))
		return;
	if (!s->w.dispatcher)
		world_start(&s->w);
	if (script_expect(s, words[0], words + 1))
		return;
	if (!run_time(s, words[0], words + 1) && !run_partition(s, words[0], words + 1) &&
	    !run_outcome(s, words[0], words + 1, count - 1) &&
	    !run_webhook(s, words[0], words + 1, count - 1) &&
	    !run_other(s, words[0], words + 1, count - 1))
		fail_msg("\"%s\": no such step: \"%s\"", s->row->name, step);
	dispatcher_submit(s->w.dispatcher);
}

void dispatch_row_run(void **state) {
	const struct dispatch_row *row = *state;
	struct script s = { .row = row, .body_len = 10 };
	char *place, *text;

	world_init(&s.w);
	text = arena_strndup(s.w.arena, row->script, strlen(row->script));
	for (char *step = strtok_r(text, ";", &place); step; step = strtok_r(NULL, ";", &place))
		run_step(&s, step + strspn(step, " "));
	world_destroy(&s.w);
}
