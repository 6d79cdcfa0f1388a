#include "ops/reload.h"

#include "base/config_reload.h"

enum { TEXT_MAX = 64 * 1024 };

/* The keys that are read again here, and those that only other programs use. */
static const char *const apart[] = {
	"log.",
	"worker.master.key.file",
	"endpoint.ca.file",
	"endpoint.proxy.password.file",
	"gateway.",
	"history.",
	"topic.partitions",
	"topic.replication.",
	"topic.retention.",
	NULL,
};

static void reload_master_keys(struct master_keys *keys, const struct file_list *files) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(TEXT_MAX);

	if (master_keys_reload(keys, (const char *const *)files->items, files->count, &why))
		log_error("master keys stay as they were", "error=%s", log_quote(why.data));
}

static const char *word(bool is_kept) {
	return is_kept ? "as-before" : "read";
}

void reload_run(const struct reload *reload) {
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(buffer_destroy) struct buffer ids = BUFFER_INIT(TEXT_MAX);
	int r;

	if (config_reload(reload->source, reload->running, apart, &config))
		return;
	reload_master_keys(reload->master_keys, &config->worker_master_key_files);
	r = engine_reload_files(reload->engine, config);
	master_keys_append_ids(reload->master_keys, &ids);
	log_info("worker reloaded", "master_keys=%s authorities=%s proxy_password=%s", ids.data,
		 word(r & ENGINE_E_AUTHORITIES), word(r & ENGINE_E_PROXY_PASSWORD));
}
