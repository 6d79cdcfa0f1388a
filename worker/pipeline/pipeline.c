#include "pipeline/pipeline.h"

#include "base/clock.h"
#include "pipeline/loop.h"
#include "pipeline/wake.h"
#include "registry/schema_registry.h"

#include <errno.h>
#include <sys/eventfd.h>

enum { CLUSTER_ID_TIMEOUT_MS = 5000 };

struct pipeline {
	const struct config *config;
	const struct master_keys *master_keys;
	struct engine *engine;

	struct topics topics;
	char *cluster_id; /* owned by librdkafka's allocator */
	struct codec *codec;
	struct schema_registry *schema_registry; /* NULL: none is configured */

	struct group_watch *watch;
	struct membership *membership;
	struct brokers brokers;
	struct restorer *restorer;
	struct dispatcher *dispatcher;
	struct tenant_pending *tenant_pending;
	struct ownership *ownership;
	struct stores *stores;
	struct turns *turns;

	struct pipeline_metrics metrics;
	int wake_fd;
	atomic_bool stopping; /* set on any thread, by pipeline_stop */
	atomic_bool has_joined;
};

/* Making. */

static void on_group_changed(void *userdata) {
	pipeline_wake(userdata);
}

static struct group_watch *make_watch(struct pipeline *p) {
	return group_watch_new(&(struct group_watch_settings){ .group_id = p->config->group_id,
							       .topic = p->topics.events,
							       .on_change = on_group_changed,
							       .userdata = p });
}

struct pipeline *pipeline_new(const struct config *config, const struct master_keys *master_keys,
			      struct engine *engine) {
	struct pipeline *p = x_calloc(1, sizeof(*p));
	struct membership_settings membership = {
		.config = config,
		.topics = &p->topics,
		.engine = engine,
		.metrics = &p->metrics,
		.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};

	p->config = config;
	p->master_keys = master_keys;
	p->engine = engine;
	p->wake_fd = membership.wake_fd;
	topics_init(&p->topics, config->topic_prefix);
	p->watch = membership.watch = make_watch(p);
	p->tenant_pending = tenant_pending_new();
	p->membership = membership_new(&membership);
	p->brokers = (struct brokers){ .config = config,
				       .topics = &p->topics,
				       .membership = p->membership,
				       .metrics = &p->metrics,
				       .stopping = &p->stopping,
				       .wake_fd = p->wake_fd };
	atomic_store(&p->metrics.loop_at_ms, clock_monotonic_ms());
	return p;
}

void pipeline_free(struct pipeline *p) {
	if (!p)
		return;
	turns_free(p->turns);
	dispatcher_free(p->dispatcher);
	restorer_free(p->restorer);
	ownership_free(p->ownership);
	stores_free(p->stores);
	tenant_pending_free(p->tenant_pending);
	membership_free(p->membership);
	group_watch_free(p->watch);
	schema_registry_free(p->schema_registry);
	codec_free(p->codec);
	if (p->cluster_id)
		rd_kafka_mem_free(NULL, p->cluster_id);
	topics_destroy(&p->topics);
	pipeline_metrics_destroy(&p->metrics);
	close(p->wake_fd);
	free(p);
}

void pipeline_wake(struct pipeline *p) {
	wake_up(p->wake_fd);
}

void pipeline_stop(struct pipeline *p) {
	atomic_store(&p->stopping, true);
	wake_up(p->wake_fd);
}

const struct pipeline_metrics *pipeline_metrics(const struct pipeline *p) {
	return &p->metrics;
}

enum pipeline_readiness pipeline_readiness(const struct pipeline *p) {
	return readiness_of(&p->metrics, atomic_load(&p->has_joined),
			    engine_lease_holds(p->engine));
}

const char *pipeline_data_dir(const struct pipeline *p) {
	return p->config->worker_data_dir;
}

/* Opening. */

static int open_codec(struct pipeline *p) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(64 * 1024);
	const struct codec_settings settings = { p->config->schema_dir, p->config->results_framing,
						 p->config->results_fingerprint };
	int r = codec_new(&settings, &p->codec, &problems);

	if (r == 0)
		return 0;
	log_error("schemas cannot be read", "error=%s",
		  log_quote(problems.len ? problems.data : strerror(-r)));
	return PIPELINE_E_FATAL;
}

static void on_registry_answer(void *userdata) {
	pipeline_wake(userdata);
}

/* A turn takes no record whose schema is not known yet: then the registry has said not to know it.
 */
static const char *tell_unknown(void *userdata _unused_, uint32_t id _unused_) {
	return "the schema registry does not know it";
}

static int make_registry(struct pipeline *p) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(4096);
	bool writes_confluent = p->config->results_framing == RESULTS_CONFLUENT;
	const struct codec_registry resolver = { .resolve = tell_unknown };
	struct schema_registry_settings settings = {
		.config = p->config,
		.codec = p->codec,
		.results_topic = writes_confluent ? p->topics.results : NULL,
		.data_dir = p->config->worker_data_dir,
		.on_answer = on_registry_answer,
		.userdata = p,
		.metrics = &p->metrics.registry,
	};

	if (!p->config->schema_registry_url)
		return 0;
	codec_use_registry(p->codec, &resolver);
	if (schema_registry_new(&settings, &p->schema_registry, &why) == 0)
		return 0;
	log_error("the credentials for the schema registry cannot be read", "error=%s",
		  log_quote(why.data));
	return PIPELINE_E_FATAL;
}

static int start_registry(struct pipeline *p) {
	int r = p->schema_registry ? schema_registry_start(p->schema_registry) : 0;

	if (r < 0)
		log_error("cannot start the schema registry's thread", "error=%s",
			  log_quote(strerror(-r)));
	return r;
}

static int ask_cluster_id(struct pipeline *p) {
	p->cluster_id = rd_kafka_clusterid(membership_client(p->membership), CLUSTER_ID_TIMEOUT_MS);
	if (p->cluster_id)
		return 0;
	log_error("cluster id is not known", "timeout_ms=%d", CLUSTER_ID_TIMEOUT_MS);
	return PIPELINE_E_FATAL;
}

static int connect_brokers(struct pipeline *p, int32_t *partition_count) {
	int r = membership_open(p->membership);

	if (r == 0)
		r = brokers_wait_for_topics(&p->brokers, partition_count);
	if (r != 0)
		return r == -EPERM ? PIPELINE_E_FATAL : r;
	return ask_cluster_id(p);
}

static void make_dispatch(struct pipeline *p) {
	struct dispatcher_settings dispatcher = {
		.config = p->config,
		.master_keys = p->master_keys,
		.engine = p->engine,
		.metrics = &p->metrics.dispatch,
		.tenant_pending = p->tenant_pending,
		.monotonic_ms = clock_monotonic_ms,
	};
	struct restorer_settings restorer = {
		.config = p->config,
		.topics = &p->topics,
		.codec = p->codec,
		.metrics = &p->metrics.restore,
		.wake_fd = p->wake_fd,
	};

	p->dispatcher = dispatcher_new(&dispatcher, clock_wall_ms());
	p->restorer = restorer_new(&restorer);
}

static void make_stores(struct pipeline *p) {
	struct stores_settings stores = {
		.config = p->config,
		.topics = &p->topics,
		.cluster_id = p->cluster_id,
		.codec = p->codec,
		.restorer = p->restorer,
		.dispatcher = p->dispatcher,
		.metrics = &p->metrics,
	};

	p->stores = stores_new(&stores);
}

static void make_ownership(struct pipeline *p, int32_t partition_count) {
	struct ownership_settings ownership = {
		.config = p->config,
		.topics = &p->topics,
		.master_keys = p->master_keys,
		.engine = p->engine,
		.membership = p->membership,
		.dispatcher = p->dispatcher,
		.restorer = p->restorer,
		.watch = p->watch,
		.metrics = &p->metrics,
	};

	p->ownership = ownership_new(&ownership, partition_count);
}

static void make_turns(struct pipeline *p) {
	struct turns_settings turns = {
		.config = p->config,
		.master_keys = p->master_keys,
		.topics = &p->topics,
		.cluster_id = p->cluster_id,
		.engine = p->engine,
		.codec = p->codec,
		.schema_registry = p->schema_registry,
		.partitions = ownership_partitions(p->ownership),
		.membership = p->membership,
		.watch = p->watch,
		.dispatcher = p->dispatcher,
		.tenant_pending = p->tenant_pending,
		.metrics = &p->metrics,
	};

	p->turns = turns_new(&turns);
}

int pipeline_open(struct pipeline *p) {
	int32_t partition_count;
	int r = open_codec(p);

	if (r == 0)
		r = make_registry(p);
	if (r == 0)
		r = connect_brokers(p, &partition_count);
	if (r != 0)
		return r;
	pipeline_metrics_init(&p->metrics, partition_count);
	make_dispatch(p);
	make_stores(p);
	make_ownership(p, partition_count);
	make_turns(p);
	r = stores_open(p->stores);
	if (r == 0)
		r = start_registry(p);
	if (r == 0)
		r = group_watch_start(p->watch);
	if (r < 0)
		return r;
	return membership_join(p->membership) < 0 ? PIPELINE_E_FATAL : 0;
}

int pipeline_run(struct pipeline *p) {
	struct loop loop = {
		.config = p->config,
		.engine = p->engine,
		.membership = p->membership,
		.brokers = &p->brokers,
		.restorer = p->restorer,
		.dispatcher = p->dispatcher,
		.ownership = p->ownership,
		.stores = p->stores,
		.turns = p->turns,
		.metrics = &p->metrics,
		.stopping = &p->stopping,
		.has_joined = &p->has_joined,
		.wake_fd = p->wake_fd,
	};

	switch (loop_run(&loop)) {
	case STEP_DONE:
		return 0;
	case STEP_REPLACED:
		return PIPELINE_E_REPLACED;
	default:
		return PIPELINE_E_FATAL;
	}
}
