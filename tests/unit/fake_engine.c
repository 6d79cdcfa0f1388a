#include "fake_engine.h"

#include "unit.h"

struct engine *fake_engine_new(void) {
	return x_calloc(1, sizeof(struct engine));
}

void engine_free(struct engine *engine) {
	if (!engine)
		return;
	job_list_free(&engine->submitted);
	job_list_free(&engine->accepted);
	job_list_free(&engine->ended);
	free(engine);
}

void engine_submit(struct engine *engine, struct job *jobs) {
	struct job *next;

	for (; jobs; jobs = next) {
		next = jobs->next;
		job_list_push(&engine->submitted, jobs);
		engine->counters.queued++;
	}
}

struct job *engine_collect(struct engine *engine) {
	struct job *jobs = engine->ended.head;

	engine->ended = (struct job_list){ 0 };
	return jobs;
}

void engine_gate_set(struct engine *engine, int32_t partition, uint32_t epoch) {
	assert_in_range(partition, 0, FAKE_ENGINE_PARTITIONS - 1);
	engine->gates[partition] = epoch;
}

void engine_lease_set(struct engine *engine, int64_t until_us) {
	engine->lease_until_us = until_us;
}

void engine_drop_endpoint(struct engine *engine, const struct uuid *webhook_id) {
	assert_in_range(engine->drop_count, 0, FAKE_ENGINE_DROPS_MAX - 1);
	engine->drops[engine->drop_count++] = *webhook_id;
}

bool engine_wait_idle(struct engine *engine, int64_t timeout_ms _unused_) {
	return !engine->submitted.head && !engine->accepted.head;
}

const struct engine_counters *engine_counters(const struct engine *engine) {
	return &engine->counters;
}

void fake_engine_accept(struct engine *engine) {
	engine->counters.queued -= (int)engine->submitted.count;
	job_list_append(&engine->accepted, &engine->submitted);
}

static struct job *take_from(struct job_list *list, const struct uuid *delivery_id) {
	struct job_list others = { 0 };
	struct job *job, *found = NULL;

	while ((job = job_list_pop(list)))
		if (!found && uuid_compare(&job->delivery.id, delivery_id) == 0)
			found = job;
		else
			job_list_push(&others, job);
	*list = others;
	return found;
}

struct job *fake_engine_take(struct engine *engine, const struct uuid *delivery_id) {
	struct job *job = take_from(&engine->accepted, delivery_id);

	if (job)
		return job;
	job = take_from(&engine->submitted, delivery_id);
	engine->counters.queued -= job != NULL;
	return job;
}

void fake_engine_end(struct engine *engine, struct job *job) {
	job_list_push(&engine->ended, job);
}
