#include "gateway/outcomes.h"

#include "base/clock.h"
#include "gateway/follower.h"
#include "kafka/record_codec.h"

enum { REGISTRY_FAILING = 3 }; /* requests in a row */

struct outcomes {
	struct follower *follower;
	struct codec *codec;
	atomic_bool stopping;
	struct registry_metrics registry;
	struct arena *arena; /* holds one event */
	struct pending *pending;
	int64_t expired_at_ms; /* monotonic */
};

/* Skips a record that cannot be decoded. */
static void on_record(void *userdata, const struct record *record) {
	struct outcomes *outcomes = userdata;
	struct analytic_event event;
	const char *why;

	arena_reset(outcomes->arena);
	if (!record->value || codec_decode_event(outcomes->codec, outcomes->arena, record->value,
						 record->len, &event, &why))
		return;
	if (event.command_id && (event.step == ANALYTIC_SUCCESS || event.step == ANALYTIC_FAIL))
		pending_settle(outcomes->pending, &event);
}

static void on_tick(void *userdata, bool caught_up _unused_) {
	struct outcomes *outcomes = userdata;
	int64_t now_ms = clock_monotonic_ms();

	if (now_ms - outcomes->expired_at_ms < FOLLOWER_TICK_MS)
		return;
	outcomes->expired_at_ms = now_ms;
	pending_expire(outcomes->pending, now_ms);
}

enum admin_status outcomes_start(const struct config *config, int64_t timeout_ms,
				 struct pending *pending, struct outcomes **out) {
	_cleanup_(outcomes_stopp) struct outcomes *outcomes = x_calloc(1, sizeof(*outcomes));
	const struct follower_options options = { .topic = TOPIC_RESULTS,
						  .start = READER_FROM_END,
						  .timeout_ms = timeout_ms,
						  .on_record = on_record,
						  .on_tick = on_tick,
						  .userdata = outcomes };
	enum admin_status status;

	outcomes->pending = pending;
	outcomes->arena = arena_new();
	outcomes->codec =
	    record_codec_new_waiting(config, &outcomes->stopping, &outcomes->registry);
	if (!outcomes->codec)
		return ADMIN_USAGE;
	status = follower_start(config, &options, &outcomes->follower);
	if (!status)
		*out = TAKE(outcomes);
	return status;
}

void outcomes_stop(struct outcomes *outcomes) {
	atomic_store(&outcomes->stopping, true);
	follower_stopp(&outcomes->follower);
	codec_freep(&outcomes->codec);
	arena_free(outcomes->arena);
	free(outcomes);
}

bool outcomes_failing(const struct outcomes *outcomes) {
	return follower_is_failing(outcomes->follower) ||
	       atomic_load(&outcomes->registry.failures) >= REGISTRY_FAILING;
}
