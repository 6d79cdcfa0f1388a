#include "delivery/tls_sessions.h"

#include "base/invariant.h"
#include "base/log.h"

struct tls_sessions *tls_sessions_new(int64_t trusted_since_us) {
	struct tls_sessions *sessions = x_calloc(1, sizeof(*sessions));
	CURLSHcode code;

	*sessions = (struct tls_sessions){ .share = x_checked(curl_share_init()),
					   .references = 1,
					   .trusted_since_us = trusted_since_us };
	code = curl_share_setopt(sessions->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	if (code == CURLSHE_NOMEM)
		out_of_memory();
	invariant_with(code == CURLSHE_OK, "this libcurl can share TLS sessions", "error=%s",
		       log_quote(curl_share_strerror(code)));
	return sessions;
}

struct tls_sessions *tls_sessions_ref(struct tls_sessions *sessions) {
	sessions->references++;
	return sessions;
}

void tls_sessions_unref(struct tls_sessions *sessions) {
	CURLSHcode code;

	if (!sessions || --sessions->references > 0)
		return;
	code = curl_share_cleanup(sessions->share);
	invariant_with(code == CURLSHE_OK, "no handle has these sessions", "error=%s",
		       log_quote(curl_share_strerror(code)));
	free(sessions);
}
