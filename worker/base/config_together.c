#include "base/config_together.h"

static void judge_registry(const struct config *config, config_problem_fn report, void *userdata) {
	if (config->results_framing == RESULTS_CONFLUENT && !config->schema_registry_url)
		report(userdata, "results.framing", "confluent needs schema.registry.url");
	if (config->schema_registry_basic_auth_file && config->schema_registry_bearer_token_file)
		report(userdata, "schema.registry.bearer.token.file",
		       "excludes schema.registry.basic.auth.file");
	if (!config->schema_registry_certificate_file != !config->schema_registry_key_file)
		report(userdata, "schema.registry.certificate.file",
		       "and schema.registry.key.file belong together");
}

static void judge_endpoint(const struct config *config, config_problem_fn report, void *userdata) {
	const struct proxy_address *proxy = &config->endpoint_proxy;

	if (config->endpoint_proxy_password_file && (!proxy->user || proxy->password))
		report(userdata, "endpoint.proxy.password.file",
		       "needs a user without a password in endpoint.proxy");
	if (!config->endpoint_tls_certificate_file != !config->endpoint_tls_key_file)
		report(userdata, "endpoint.tls.certificate.file",
		       "and endpoint.tls.key.file belong together");
}

void config_judge_together(const struct config *config, config_problem_fn report, void *userdata) {
	judge_registry(config, report, userdata);
	judge_endpoint(config, report, userdata);
}
