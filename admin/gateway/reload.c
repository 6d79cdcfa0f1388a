#include "gateway/reload.h"

#include "base/config_reload.h"
#include "gateway/parts.h"
#include "gateway/tls_files.h"

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
	const char *why;
	int r;

	if (!gateway->tls && !config->gateway_tls_key_file)
		return "none";
	if (!gateway->tls || !config->gateway_tls_key_file ||
	    !config->gateway_tls_certificate_file) {
		log_error("TLS begins and ends with a restart alone", "tls=%s",
			  gateway->tls ? "yes" : "no");
		return "as-before";
	}
	if (tls_files_read(config->gateway_tls_certificate_file, config->gateway_tls_key_file,
			   &files))
		return "as-before";
	r = http_tls_reload(gateway->tls, files.certificate.data, files.private_key.data, &why);
	if (r)
		log_error("the certificate stays as it was", "file=%s error=%s",
			  log_quote(r == HTTP_TLS_E_CERTIFICATE
					? config->gateway_tls_certificate_file
					: config->gateway_tls_key_file),
			  log_quote(why));
	return r ? "as-before" : "read";
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
