#include "gateway/state_follower.h"

#include "domain/webhook_rules.h"
#include "gateway/follower.h"
#include "kafka/record_codec.h"

struct state_follower {
	struct follower *follower;
	struct codec *codec;
	struct public_keys *keys;
	struct delivery_index *deliveries;
	struct catalogue_watch *catalogues;
};

static void on_record(void *userdata, const struct record *record) {
	struct state_follower *state = userdata;

	public_keys_apply(state->keys, record);
	delivery_index_apply(state->deliveries, record);
	catalogue_watch_apply(state->catalogues, record);
}

static void on_tick(void *userdata, bool caught_up) {
	struct state_follower *state = userdata;

	if (caught_up)
		catalogue_watch_tell(state->catalogues);
}

enum admin_status state_follower_start(const struct config *config, int64_t timeout_ms,
				       struct state_follower **out) {
	_cleanup_(state_follower_stopp) struct state_follower *state = x_calloc(1, sizeof(*state));
	const struct follower_options options = { .topic = TOPIC_STATE,
						  .start = READER_FROM_BEGINNING,
						  .timeout_ms = timeout_ms,
						  .on_record = on_record,
						  .on_tick = on_tick,
						  .userdata = state };
	enum admin_status status;

	state->codec = record_codec_new(config);
	if (!state->codec)
		return ADMIN_USAGE;
	state->keys = public_keys_new(state->codec);
	state->deliveries = delivery_index_new(state->codec);
	state->catalogues = catalogue_watch_new(state->codec, webhook_rules_of(config).catalogue);
	status = follower_start(config, &options, &state->follower);
	if (!status)
		*out = TAKE(state);
	return status;
}

void state_follower_stop(struct state_follower *state) {
	follower_stopp(&state->follower);
	public_keys_freep(&state->keys);
	delivery_index_freep(&state->deliveries);
	catalogue_watch_freep(&state->catalogues);
	codec_freep(&state->codec);
	free(state);
}

struct public_keys *state_follower_keys(struct state_follower *state) {
	return state->keys;
}

struct delivery_index *state_follower_deliveries(struct state_follower *state) {
	return state->deliveries;
}

int state_follower_disagreements(const struct state_follower *state) {
	return catalogue_watch_count(state->catalogues);
}

bool state_follower_is_ready(const struct state_follower *state) {
	return follower_caught_up(state->follower);
}

bool state_follower_is_failing(const struct state_follower *state) {
	return follower_is_failing(state->follower);
}
