#include "delivery/proxy.h"

#include "base/clock.h"
#include "base/secret_file.h"
#include "delivery/easy.h"

#include <errno.h>

enum { PASSWORD_MAX = 4096 };

static int read_password(const char *path, char **out) {
	_cleanup_(buffer_destroy) struct buffer text = BUFFER_INIT(PASSWORD_MAX),
						why = BUFFER_INIT(1024);
	int r = secret_file_read(path, &text, &why);

	if (r == 0)
		*out = x_strdup(text.data);
	else
		log_error("the password of the proxy cannot be read",
			  "key=endpoint.proxy.password.file file=%s error=%s", log_quote(path),
			  log_quote(r < 0 ? strerror(-r) : why.data));
	if (text.data)
		explicit_bzero(text.data, text.capacity);
	return r ? -EINVAL : 0;
}

int proxy_init(struct proxy *proxy, const struct config *config) {
	const struct proxy_address *address = &config->endpoint_proxy;

	*proxy = (struct proxy){ .config = config };
	pthread_mutex_init(&proxy->mutex, NULL);
	if (config->endpoint_proxy_password_file)
		return read_password(config->endpoint_proxy_password_file, &proxy->password);
	if (address->user)
		proxy->password = x_strdup(address->password ? address->password : "");
	return 0;
}

static void wipe(char *password) {
	if (password)
		explicit_bzero(password, strlen(password));
	free(password);
}

void proxy_destroy(struct proxy *proxy) {
	wipe(proxy->password);
	pthread_mutex_destroy(&proxy->mutex);
}

int proxy_reload(struct proxy *proxy, const struct config *config) {
	char *password, *former;
	int r;

	/* A password that begins or ends to come from a file changes endpoint.proxy too. */
	if (!proxy->config->endpoint_proxy_password_file || !config->endpoint_proxy_password_file)
		return 0;
	r = read_password(config->endpoint_proxy_password_file, &password);
	if (r)
		return r;
	pthread_mutex_lock(&proxy->mutex);
	former = proxy->password;
	proxy->password = password;
	pthread_mutex_unlock(&proxy->mutex);
	wipe(former);
	return 0;
}

/* Whether it works. */

static bool is_too_many(const struct proxy *proxy, int failures) {
	return failures >= proxy->config->delivery_breaker_failures;
}

bool proxy_fails(const struct proxy *proxy) {
	return is_too_many(proxy, atomic_load(&proxy->failures));
}

/* Of all attempts that may try the proxy only one does. */
static bool may_try(struct proxy *proxy) {
	int64_t now_us = clock_monotonic_us(), try_at_us = atomic_load(&proxy->try_at_us);

	return now_us >= try_at_us &&
	       atomic_compare_exchange_strong(&proxy->try_at_us, &try_at_us,
					      now_us + PROXY_PAUSE_MS * INT64_C(1000));
}

bool proxy_admits(struct proxy *proxy, struct job *job) {
	const struct config *config = proxy->config;

	job->by_proxy = config->endpoint_proxy.location &&
			!host_list_contains(&config->endpoint_proxy_except, job->route->parts.host);
	if (!job->by_proxy || !proxy_fails(proxy) || may_try(proxy))
		return true;
	job->hold_ms = PROXY_PAUSE_MS;
	return false;
}

static void note_failure(struct proxy *proxy, const char *error) {
	int failures = atomic_fetch_add(&proxy->failures, 1) + 1;

	if (failures != proxy->config->delivery_breaker_failures)
		return;
	atomic_store(&proxy->try_at_us, clock_monotonic_us() + PROXY_PAUSE_MS * INT64_C(1000));
	log_warn("the proxy fails: deliveries through it wait, and one at a time tries it",
		 "proxy=%s failures=%d error=%s", log_quote(proxy->config->endpoint_proxy.location),
		 failures, log_quote(error));
}

static void note_answer(struct proxy *proxy) {
	if (!atomic_load(&proxy->failures) ||
	    !is_too_many(proxy, atomic_exchange(&proxy->failures, 0)))
		return;
	log_info("the proxy answers again", "proxy=%s",
		 log_quote(proxy->config->endpoint_proxy.location));
}

void proxy_end_attempt(struct proxy *proxy, enum attempt_reason reason, const char *error) {
	if (reason == ATTEMPT_PROXY_CONNECT)
		note_failure(proxy, error);
	else if (reason != ATTEMPT_TIMEOUT && reason != ATTEMPT_PROXY_BROKEN &&
		 reason != ATTEMPT_INTERNAL && reason != ATTEMPT_ADDRESS_REFUSED)
		note_answer(proxy);
}

/* Requests. */

const char *proxy_refusal(const struct proxy *proxy, const struct job *job) {
	struct network address;

	if (!job->by_proxy || network_parse(job->route->parts.host, &address) < 0 ||
	    network_list_contains(&proxy->config->endpoint_allow_networks, &address.address))
		return NULL;
	return "an address outside endpoint.allow.networks";
}

/* An empty name of a proxy, and an empty list of exceptions, keep curl from reading them from the
 * environment. */
static void set_proxy(const struct proxy *proxy, CURL *easy, bool is_used) {
	EASY_SET(easy, CURLOPT_PROXY, is_used ? proxy->config->endpoint_proxy.location : "");
	EASY_SET(easy, CURLOPT_NOPROXY, is_used ? "" : "*");
}

/* The login goes to the proxy unasked. The header lines of a callback do not: they are for the end
 * of the tunnel. */
void proxy_prepare(const struct proxy *proxy, CURL *easy) {
	const struct proxy_address *address = &proxy->config->endpoint_proxy;

	set_proxy(proxy, easy, false);
	EASY_SET(easy, CURLOPT_HEADEROPT, CURLHEADER_SEPARATE);
	EASY_SET(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (!address->user)
		return;
	EASY_SET(easy, CURLOPT_PROXYAUTH, CURLAUTH_BASIC);
	EASY_SET(easy, CURLOPT_PROXYUSERNAME, address->user);
}

static void set_password(struct proxy *proxy, CURL *easy) {
	pthread_mutex_lock(&proxy->mutex);
	EASY_SET(easy, CURLOPT_PROXYPASSWORD, proxy->password);
	pthread_mutex_unlock(&proxy->mutex);
}

void proxy_choose(struct proxy *proxy, CURL *easy, const struct job *job) {
	if (proxy->config->endpoint_proxy.location)
		set_proxy(proxy, easy, job->by_proxy);
	if (job->by_proxy && proxy->config->endpoint_proxy.user)
		set_password(proxy, easy);
}
