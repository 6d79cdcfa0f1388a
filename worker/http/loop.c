#include "http/loop.h"

#include "base/clock.h"
#include "base/log.h"
#include "http/connection.h"

#include <errno.h>
#include <malloc.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

enum {
	EVENTS_MAX = 64,
	ACCEPTS_MAX = 16, /* at once; their requests are read before further ones are accepted */
	ACCEPT_PAUSE_MS = 100, /* when no descriptor is left */
	UNSENT_MAX = 64 * 1024,
	CROWD_MIN = 256, /* connections */
};

const char *http_loop_date(struct http_loop *loop) {
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm tm;

	if (now == loop->date_s)
		return loop->date;
	loop->date_s = now;
	gmtime_r(&now, &tm);
	strftime(loop->date, sizeof(loop->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return loop->date;
}

/* --- Places --- */

/* Closes the connection that must make room. Returns whether there is one. */
static bool make_room(struct http_loop *loop) {
	struct http_place *victim = http_places_victim(&loop->places);

	if (victim)
		http_connection_close(CONTAINER_OF(victim, struct http_connection, place));
	return victim;
}

static void drop_arrival(struct http_loop *loop, int fd) {
	close(fd);
	atomic_fetch_sub(&loop->load, 1);
}

/* Reads the new connection's bytes at once, so that a client with a request does not have to
 * make room first. */
static void arrive(struct http_loop *loop, int fd, const struct in6_addr *address) {
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };
	struct http_connection *connection;

	if (atomic_load(&loop->server->stopping) ||
	    (loop->places.count >= loop->places.max && !make_room(loop))) {
		drop_arrival(loop, fd);
		return;
	}
	connection = http_connection_new(loop, fd, address);
	event.data.ptr = connection;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		http_connection_close(connection);
	else
		http_connection_run(connection);
}

/* --- Accepting: the first loop --- */

static struct in6_addr address_of(const struct sockaddr_storage *from) {
	struct in6_addr address = { 0 };

	if (from->ss_family == AF_INET6)
		return ((const struct sockaddr_in6 *)from)->sin6_addr;
	address.s6_addr[10] = address.s6_addr[11] = 0xff;
	memcpy(address.s6_addr + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
	return address;
}

/* Of equally loaded loops takes the next one, so that making room for others is spread over them
 * too. */
static struct http_loop *least_loaded(struct http_loop *loop) {
	struct http_server *server = loop->server;
	unsigned first = loop->given++;
	struct http_loop *found = &server->loops[first % server->loop_count];

	for (unsigned i = 1; i < server->loop_count; i++) {
		struct http_loop *other = &server->loops[(first + i) % server->loop_count];

		if (atomic_load(&other->load) < atomic_load(&found->load))
			found = other;
	}
	return found;
}

static void send_arrival(struct http_loop *to, int fd, const struct in6_addr *address) {
	struct http_arrival *arrival = x_malloc(sizeof(*arrival));

	*arrival = (struct http_arrival){ .fd = fd, .address = *address };
	pthread_mutex_lock(&to->lock);
	LL_PREPEND(to->arrivals, arrival);
	pthread_mutex_unlock(&to->lock);
	http_loop_wake(to);
}

/* Keeps the kernel's share of an unread answer small as well. */
static void set_socket(int fd) {
	int on = 1, unsent_max = UNSENT_MAX;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_max, sizeof(unsent_max));
}

static void give_away(struct http_loop *loop, int fd, const struct in6_addr *address) {
	struct http_loop *to = least_loaded(loop);

	set_socket(fd);
	atomic_fetch_add(&to->load, 1);
	if (to == loop)
		arrive(loop, fd, address);
	else
		send_arrival(to, fd, address);
}

static void watch_listener(struct http_loop *loop, uint32_t events) {
	struct epoll_event event = { .events = events, .data.ptr = loop };

	if (loop->server->listen_fd >= 0)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, loop->server->listen_fd, &event);
}

/* Without a descriptor for the next connection, one makes room, or all would wait. */
static void pause_accepting(struct http_loop *loop, int error) {
	if (make_room(loop))
		return;
	log_warn("accepting connections is paused", "error=%s", log_quote(strerror(error)));
	loop->accepts_from_ms = loop->now_ms + ACCEPT_PAUSE_MS;
	watch_listener(loop, 0);
}

static void accept_connections(struct http_loop *loop) {
	for (int i = 0; i < ACCEPTS_MAX && loop->server->listen_fd >= 0; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		int fd = accept4(loop->server->listen_fd, (struct sockaddr *)&from, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct in6_addr address;

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM)
				pause_accepting(loop, errno);
			return;
		}
		address = address_of(&from);
		give_away(loop, fd, &address);
	}
}

static void stop_accepting(struct http_loop *loop) {
	struct http_server *server = loop->server;

	if (loop != &server->loops[0] || server->listen_fd < 0)
		return;
	close(server->listen_fd);
	server->listen_fd = -1;
}

/* --- The inbox --- */

void http_loop_wake(struct http_loop *loop) {
	uint64_t one = 1;

	if (write(loop->event_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		abort();
}

static void empty_inbox(struct http_loop *loop) {
	struct http_arrival *arrivals, *arrival, *next_arrival;
	struct http_connection *answered, *next;
	uint64_t count;

	if (read(loop->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		abort();
	pthread_mutex_lock(&loop->lock);
	arrivals = TAKE(loop->arrivals);
	answered = TAKE(loop->answered);
	pthread_mutex_unlock(&loop->lock);
	for (; answered; answered = next) {
		next = answered->next_answered;
		http_connection_resume(answered);
	}
	LL_FOREACH_SAFE(arrivals, arrival, next_arrival) {
		arrive(loop, arrival->fd, &arrival->address);
		free(arrival);
	}
}

/* --- Rounds --- */

static void take_event(struct http_loop *loop, const struct epoll_event *event) {
	struct http_connection *connection = event->data.ptr;

	if (!event->data.ptr) {
		empty_inbox(loop);
		return;
	}
	if (event->data.ptr == loop) {
		accept_connections(loop);
		return;
	}
	connection->has_ended =
	    connection->has_ended || event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
	connection->readable =
	    connection->readable || connection->has_ended || event->events & EPOLLIN;
	if (!connection->is_ready)
		http_connection_run(connection);
}

/* Runs once each connection that was ready when the round began. */
static void run_ready(struct http_loop *loop) {
	struct http_connection *connection;
	size_t count;

	DL_COUNT(loop->ready, connection, count);
	for (; count && (connection = loop->ready); count--) {
		DL_DELETE(loop->ready, connection);
		connection->is_ready = false;
		http_connection_run(connection);
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
	for (int i = 0; i < count; i++)
		take_event(loop, &events[i]);
	run_ready(loop);
	expire(loop);
	if (loop->accepts_from_ms && loop->accepts_from_ms <= loop->now_ms) {
		loop->accepts_from_ms = 0;
		watch_listener(loop, EPOLLIN);
	}
	if (atomic_load(&loop->server->draining))
		stop_accepting(loop);
	if (atomic_load(&loop->server->stopping))
		close_all_but_waiting(loop);
	free_dead(loop);
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

static void watch(struct http_loop *loop, int fd, void *pointer) {
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = pointer };

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		abort();
}

int http_loop_init(struct http_loop *loop, struct http_server *server,
		   const struct http_options *options) {
	loop->server = server;
	loop->places.max = share_of(options, server);
	loop->places.timeouts_ms[HTTP_PHASE_REQUEST] = loop->places.timeouts_ms[HTTP_PHASE_ANSWER] =
	    options->client_timeout_ms;
	loop->places.timeouts_ms[HTTP_PHASE_IDLE] = options->idle_timeout_ms;
	loop->places.timeouts_ms[HTTP_PHASE_LINGER] = HTTP_LINGER_MS;
	loop->now_ms = clock_monotonic_ms();
	pthread_mutex_init(&loop->lock, NULL);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->epoll_fd < 0 || loop->event_fd < 0)
		return -errno;
	watch(loop, loop->event_fd, NULL);
	if (loop == &server->loops[0])
		watch(loop, server->listen_fd, loop);
	return 0;
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

static void close_arrivals(struct http_loop *loop) {
	struct http_arrival *arrival, *next;

	LL_FOREACH_SAFE(loop->arrivals, arrival, next) {
		close(arrival->fd);
		free(arrival);
	}
}

void http_loop_join(struct http_loop *loop) {
	if (!loop->server)
		return;
	if (loop->has_thread) {
		http_loop_wake(loop);
		pthread_join(loop->thread, NULL);
	}
	close_arrivals(loop);
	if (loop->event_fd >= 0)
		close(loop->event_fd);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	free(loop->spare_input);
	http_places_destroy(&loop->places);
	pthread_mutex_destroy(&loop->lock);
}
