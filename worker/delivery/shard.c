#include "delivery/shard.h"

#include "base/clock.h"
#include "base/log.h"

#include <sys/epoll.h>

/* The next call of curl where it has transfers but asked for none: a transfer must not hang. */
enum { BACKSTOP_US = 1000 * 1000 };

static int on_socket(CURL *easy _unused_, curl_socket_t fd, int what, void *userdata,
		     void *socket_data _unused_) {
	struct shard *shard = userdata;
	uint32_t events = 0;

	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= EPOLLOUT;
	sockets_want(shard->sockets, fd, shard->index, events);
	return 0;
}

/* Rounds nothing down: called before its deadline curl does nothing and, its next deadline being
 * the same, does not ask again. */
static int on_timer(CURLM *multi _unused_, long timeout_ms, void *userdata) {
	struct shard *shard = userdata;

	if (timeout_ms < 0)
		shard->deadline_us = SHARD_NO_DEADLINE;
	else
		shard->deadline_us = timeout_ms ? clock_monotonic_us() + timeout_ms * 1000 : 0;
	return 0;
}

void shard_init(struct shard *shard, uint8_t index, struct sockets *sockets) {
	*shard = (struct shard){
		.multi = x_checked(curl_multi_init()),
		.sessions = tls_sessions_new(0),
		.sockets = sockets,
		.deadline_us = SHARD_NO_DEADLINE,
		.index = index,
	};
	curl_multi_setopt(shard->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(shard->multi, CURLMOPT_SOCKETDATA, shard);
	curl_multi_setopt(shard->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(shard->multi, CURLMOPT_TIMERDATA, shard);
	curl_multi_setopt(shard->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
}

void shard_destroy(struct shard *shard) {
	curl_multi_cleanup(shard->multi);
	tls_sessions_unref(shard->sessions);
}

struct tls_sessions *shard_sessions(struct shard *shard, int64_t trusted_since_us) {
	if (shard->sessions->trusted_since_us != trusted_since_us) {
		tls_sessions_unref(shard->sessions);
		shard->sessions = tls_sessions_new(trusted_since_us);
	}
	return shard->sessions;
}

void shard_keep_connections(struct shard *shard, long count) {
	curl_multi_setopt(shard->multi, CURLMOPT_MAXCONNECTS, count);
}

static void socket_action(struct shard *shard, int fd, int mask) {
	int running = 0;
	CURLMcode code = curl_multi_socket_action(shard->multi, fd, mask, &running);

	if (code != CURLM_OK)
		log_error("curl multi failed", "error=%s", log_quote(curl_multi_strerror(code)));
	if (running && shard->deadline_us == SHARD_NO_DEADLINE)
		shard->deadline_us = clock_monotonic_us() + BACKSTOP_US;
}

void shard_handle_events(struct shard *shard, int fd, uint32_t events) {
	socket_action(shard, fd,
		      (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
			  (events & EPOLLOUT ? CURL_CSELECT_OUT : 0));
}

void shard_handle_deadline(struct shard *shard) {
	shard->deadline_us = SHARD_NO_DEADLINE;
	socket_action(shard, CURL_SOCKET_TIMEOUT, 0);
}
