#include "gateway/reload.h"

#include "base/config_reload.h"
#include "gateway/parts.h"

/* The keys that are read again here, and those that only other programs use. */
static const char *const apart[] = {
	"log.",
	"gateway.tls.",
	"worker.",
	"batch.",
	"receipt.",
	"issuance.",
	"command.",
	"input.",
	"tenant.",
	"delivery.",
	"endpoint.",
	"signature.",
	"signing.",
	"webhook.",
	"results.",
	"group.",
	"topic.partitions",
	"topic.replication.",
	"topic.retention.",
	NULL,
};

/* Returns the word for the log. */
static const char *reload_tls(struct gateway *gateway, const struct config *config) {
	_cleanup_(tls_files_destroy) struct tls_files files = { 0 };
	_cleanup_(tls_fault_destroy) struct tls_fault fault = TLS_FAULT_INIT;
	struct tls_files former = gateway->tls_files;

	if (!gateway->tls && !config->gateway_tls_key_file)
		return "none";
	if (!gateway->tls || !config->gateway_tls_key_file ||
	    !config->gateway_tls_certificate_file) {
		log_error("TLS begins and ends with a restart alone", "tls=%s",
			  gateway->tls ? "yes" : "no");
		return "as-before";
	}
	tls_files_init(&files, config->gateway_tls_certificate_file, config->gateway_tls_key_file);
	if (tls_files_show(&files, &gateway->tls, &fault)) {
		log_error("the certificate stays as it was", "file=%s error=%s",
			  log_quote(fault.file), log_quote(fault.why.data));
		return "as-before";
	}
	gateway->tls_files = files;
	files = former;
	return "read";
}

void gateway_refresh_certificate(struct gateway *gateway) {
	_cleanup_(tls_fault_destroy) struct tls_fault fault = TLS_FAULT_INIT;

	if (!gateway->tls || !tls_files_have_changed(&gateway->tls_files))
		return;
	if (tls_files_show(&gateway->tls_files, &gateway->tls, &fault))
		log_warn("the changed certificate cannot be used: the former one stays",
			 "file=%s error=%s", log_quote(fault.file), log_quote(fault.why.data));
	else
		log_info("the certificate has changed: new connections have the new one", "file=%s",
			 log_quote(gateway->tls_files.certificate_file));
}

void gateway_reload(struct gateway *gateway, const struct config_source *source) {
	_cleanup_(config_freep) struct config *config = NULL;
	const char *certificate;

	if (config_reload(source, gateway->config, apart, &config))
		return;
	certificate = reload_tls(gateway, config);
	token_store_refresh(gateway->tokens);
	log_info("gateway reloaded", "certificate=%s tokens=%zu", certificate,
		 token_store_count(gateway->tokens));
}
