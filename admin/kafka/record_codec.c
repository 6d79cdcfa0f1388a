#include "kafka/record_codec.h"

#include "registry/schema_registry.h"
#include "terminal/status.h"

enum { PROBLEMS_MAX = 64 * 1024, WAIT_MS = 10 * 1000, TICK_MS = 100 };

/* Which schema an id names: asked for when a record of it comes. */
struct resolver {
	struct schema_registry *registry;
	struct registry_metrics own_metrics; /* where the caller has none */
	const atomic_bool *stopping;         /* NULL: it waits for WAIT_MS, once */
	bool has_given_up;
};

static enum registry_answer wait_until_stopped(struct resolver *resolver, uint32_t id) {
	enum registry_answer answer = REGISTRY_WAIT;

	while (answer == REGISTRY_WAIT && !atomic_load(resolver->stopping))
		answer = schema_registry_wait(resolver->registry, id, TICK_MS);
	return answer;
}

/* The records that follow do not wait each for a registry that is away. */
static enum registry_answer wait_once(struct resolver *resolver, uint32_t id) {
	enum registry_answer answer =
	    schema_registry_wait(resolver->registry, id, resolver->has_given_up ? 0 : WAIT_MS);

	if (answer == REGISTRY_WAIT && !resolver->has_given_up)
		terminal_complain("the schema registry does not answer: records of schemas that "
				  "only it knows are left out");
	resolver->has_given_up |= answer == REGISTRY_WAIT;
	return answer;
}

static const char *resolve(void *userdata, uint32_t id) {
	struct resolver *resolver = userdata;
	enum registry_answer answer =
	    resolver->stopping ? wait_until_stopped(resolver, id) : wait_once(resolver, id);

	return answer == REGISTRY_UNKNOWN ? "the schema registry does not know it"
	       : answer == REGISTRY_WAIT  ? "the schema registry does not answer"
					  : NULL;
}

static void free_resolver(void *userdata) {
	struct resolver *resolver = userdata;

	schema_registry_free(resolver->registry);
	free(resolver);
}

static int start_registry(struct codec *codec, const struct config *config,
			  struct resolver *resolver, struct registry_metrics *metrics) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(PROBLEMS_MAX);
	const struct schema_registry_settings settings = {
		.config = config,
		.codec = codec,
		.metrics = metrics ? metrics : &resolver->own_metrics,
	};

	if (schema_registry_new(&settings, &resolver->registry, &why)) {
		terminal_complain("%s", why.data);
		return -1;
	}
	if (schema_registry_start(resolver->registry) == 0)
		return 0;
	terminal_complain("the system refuses a thread");
	return -1;
}

static struct codec *read_schemas(const struct config *config) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(PROBLEMS_MAX);
	const struct codec_settings settings = { .schema_dir = config->schema_dir };
	struct codec *codec = NULL;

	if (!codec_new(&settings, &codec, &problems))
		return codec;
	terminal_complain_lines(problems.len ? problems.data : "the schemas cannot be read");
	return NULL;
}

struct codec *record_codec_new_waiting(const struct config *config, const atomic_bool *stopping,
				       struct registry_metrics *metrics) {
	_cleanup_(codec_freep) struct codec *codec = read_schemas(config);
	struct codec_registry registry = { .resolve = resolve, .free = free_resolver };
	struct resolver *resolver;

	if (!codec || !config->schema_registry_url)
		return TAKE(codec);
	registry.userdata = resolver = x_calloc(1, sizeof(*resolver));
	resolver->stopping = stopping;
	codec_use_registry(codec, &registry);
	return start_registry(codec, config, resolver, metrics) ? NULL : TAKE(codec);
}

struct codec *record_codec_new(const struct config *config) {
	return record_codec_new_waiting(config, NULL, NULL);
}
