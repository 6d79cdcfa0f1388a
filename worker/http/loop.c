#include "http/loop.h"

#include "base/clock.h"
#include "http/accept.h"
#include "http/drive.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <utlist.h>

enum { EVENTS_MAX = 64, CROWD_MIN = 256 /* connections */ };

/* --- Rounds --- */

static void empty_inbox(struct http_loop *loop) {
	struct http_arrival *arrivals, *arrival, *next_arrival;
	struct http_answered *answered, *next;

	http_inbox_take(&loop->inbox, &arrivals, &answered);
	for (; answered; answered = next) {
		next = answered->next;
		http_drive_answered(CONTAINER_OF(answered, struct http_connection, answered));
	}
	LL_FOREACH_SAFE(arrivals, arrival, next_arrival) {
		http_accept_arrival(loop, arrival->fd, &arrival->address);
		free(arrival);
	}
}

static void take_event(struct http_loop *loop, const struct epoll_event *event) {
	struct http_connection *connection = event->data.ptr;
	struct http_stream *stream;

	if (!event->data.ptr) {
		empty_inbox(loop);
		return;
	}
	if (event->data.ptr == loop) {
		http_accept_connections(loop);
		return;
	}
	stream = &connection->stream;
	stream->has_ended = stream->has_ended || event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
	stream->readable = stream->readable || stream->has_ended || event->events & EPOLLIN;
	if (!connection->is_ready)
		http_drive(connection);
}

/* Runs once each connection that was ready when the round began. */
static void run_ready(struct http_loop *loop) {
	struct http_connection *connection;
	size_t count;

	DL_COUNT(loop->ready, connection, count);
	for (; count && (connection = loop->ready); count--) {
		DL_DELETE(loop->ready, connection);
		connection->is_ready = false;
		http_drive(connection);
	}
}

static void expire(struct http_loop *loop) {
	for (struct http_place *place; (place = http_places_expired(&loop->places, loop->now_ms));)
		http_connection_close(CONTAINER_OF(place, struct http_connection, place));
}

static void close_all_but_waiting(struct http_loop *loop) {
	for (enum http_phase phase = HTTP_PHASE_REQUEST; phase < HTTP_PHASE_COUNT; phase++) {
		for (struct http_place *place; (place = http_places_any(&loop->places, phase));)
			http_connection_close(CONTAINER_OF(place, struct http_connection, place));
	}
}

/* Returns freed memory to the system: the C library would keep it for the next crowd. */
static void give_back_memory(struct http_loop *loop) {
	loop->crowd = MAX(loop->crowd, loop->places.count);
	if (loop->crowd < CROWD_MIN || loop->places.count > loop->crowd / 4)
		return;
	loop->crowd = loop->places.count;
	malloc_trim(0);
}

static void free_dead(struct http_loop *loop) {
	for (struct http_connection *connection; (connection = loop->dead);) {
		loop->dead = connection->next_dead;
		free(connection);
	}
	give_back_memory(loop);
}

static int time_left(const struct http_loop *loop) {
	int64_t deadline_ms = http_places_deadline(&loop->places);

	if (loop->ready)
		return 0;
	if (loop->accepts_from_ms)
		deadline_ms = MIN(deadline_ms, loop->accepts_from_ms);
	return deadline_ms == INT64_MAX ? -1
					: (int)MAX(deadline_ms - clock_monotonic_ms(), (int64_t)0);
}

static void run_round(struct http_loop *loop) {
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, time_left(loop));

	loop->now_ms = clock_monotonic_ms();
	atomic_store_explicit(&loop->busy_since_ms, loop->now_ms, memory_order_relaxed);
	for (int i = 0; i < count; i++)
		take_event(loop, &events[i]);
	run_ready(loop);
	expire(loop);
	if (loop->accepts_from_ms && loop->accepts_from_ms <= loop->now_ms)
		http_accept_resume(loop);
	if (atomic_load(&loop->server->draining))
		http_accept_stop(loop);
	if (atomic_load(&loop->server->stopping))
		close_all_but_waiting(loop);
	free_dead(loop);
	atomic_store_explicit(&loop->busy_since_ms, 0, memory_order_relaxed);
}

static void *run_loop(void *userdata) {
	struct http_loop *loop = userdata;

	while (!atomic_load(&loop->server->stopping) || loop->places.count)
		run_round(loop);
	return NULL;
}

/* --- Life --- */

static unsigned share_of(const struct http_options *options, const struct http_server *server) {
	return (options->connections_max + server->loop_count - 1) / server->loop_count;
}

static int watch(struct http_loop *loop, int fd, void *pointer) {
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = pointer };

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int http_loop_init(struct http_loop *loop, struct http_server *server,
		   const struct http_options *options) {
	int r;

	loop->server = server;
	loop->places.max = share_of(options, server);
	loop->places.timeouts_ms[HTTP_PHASE_REQUEST] = loop->places.timeouts_ms[HTTP_PHASE_ANSWER] =
	    options->client_timeout_ms;
	loop->places.timeouts_ms[HTTP_PHASE_IDLE] = options->idle_timeout_ms;
	loop->places.timeouts_ms[HTTP_PHASE_LINGER] = HTTP_LINGER_MS;
	loop->now_ms = clock_monotonic_ms();
	r = http_inbox_init(&loop->inbox);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (r)
		return r;
	if (loop->epoll_fd < 0)
		return -errno;
	r = watch(loop, loop->inbox.event_fd, NULL);
	if (!r && loop == &server->loops[0])
		r = watch(loop, server->listen_fd, loop);
	return r;
}

int http_loop_start(struct http_loop *loop) {
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&loop->thread, NULL, run_loop, loop);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	loop->has_thread = r == 0; /* pthread_create leaves `thread` undefined where it fails */
	if (!r)
		pthread_setname_np(loop->thread, "http");
	return -r;
}

void http_loop_join(struct http_loop *loop) {
	if (!loop->server)
		return;
	if (loop->has_thread) {
		http_inbox_wake(&loop->inbox);
		pthread_join(loop->thread, NULL);
	}
	http_inbox_destroy(&loop->inbox);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	free(loop->spare_input);
	http_places_destroy(&loop->places);
}
