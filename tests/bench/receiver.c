/*
 * Receivers that cost next to nothing: one epoll loop, many ports, each with a behaviour of its
 * own. Lines in, a line out for each:
 *
 * - open COUNT [FILE]: so many ports; answers with their numbers. They answer 200 at once, over TLS
 *   with the certificate and key in FILE. They are a group: the first such line makes group 1.
 * - answer PORT [STATUS [DELAY]]: from now on (DELAY in milliseconds)
 * - part PORT: answers 200 at once, and ends the connection with it
 * - silent PORT: takes requests and never answers
 * - refuse PORT: refuses connections from now on
 * - reset: counts from zero
 * - counts: a JSON array, an object a port: "port", "requests", "bytes", "waiting",
 *   "waiting_peak", "connections", "connections_peak", "first_us", "last_us"
 * - time: from now on looks into requests for when they were sent off (latency.h)
 * - latencies [GROUP]: a JSON object of those found since, of that group or of all, in
 *   milliseconds; and looks no longer
 *
 * A port is open on every address of loopback, 127.x.y.z, and on no other: so one port is as many
 * hosts as one likes. `waiting` are requests that are not answered yet; first and last are when
 * requests came (monotonic). Ends with its input.
 */
#include "latency.h"
#include "stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PORTS_MAX = 4096, BACKLOG = 4096, READ_MAX = 64 * 1024, LINE_MAX_BYTES = 512, EVENTS = 512 };

enum behaviour { ANSWER, SILENT, REFUSE };

struct port {
	int fd, number, group;
	enum behaviour behaviour;
	int delay_ms;
	bool parts; /* with each answer */
	char answer[96];
	size_t answer_len;
	struct ssl_ctx_st *context; /* TLS; NULL: plain */
	long requests, bytes, waiting, waiting_peak, connections, connections_peak;
	int64_t first_us, last_us;
	struct connection *due,
	    *due_last; /* whose answers are put off, in the order of their times */
};

struct connection {
	struct stream stream;
	struct port *port;
	char *head; /* owned; the beginning of one that did not come at once */
	size_t head_len;
	size_t body_left;
	bool waits;
	int64_t due_us;
	struct connection *prev, *next; /* in the port's list of answers put off */
};

static struct port ports[PORTS_MAX];
static int port_count, group_count, epoll_fd;
static int64_t now_us;

static int64_t monotonic_us(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Answers. */

static void put_off(struct connection *connection) {
	struct port *port = connection->port;

	connection->due_us = now_us + (int64_t)port->delay_ms * 1000;
	connection->prev = port->due_last;
	connection->next = NULL;
	if (port->due_last)
		port->due_last->next = connection;
	else
		port->due = connection;
	port->due_last = connection;
}

static void leave_due(struct connection *connection) {
	struct port *port = connection->port;

	if (!connection->due_us)
		return;
	*(connection->prev ? &connection->prev->next : &port->due) = connection->next;
	*(connection->next ? &connection->next->prev : &port->due_last) = connection->prev;
	connection->due_us = 0;
}

static void answer(struct connection *connection) {
	struct port *port = connection->port;

	leave_due(connection);
	connection->waits = false;
	port->waiting--;
	stream_send(&connection->stream, port->answer, port->answer_len);
	/* The rest of the connection goes when the other side has closed it too. */
	if (port->parts)
		shutdown(connection->stream.fd, SHUT_WR);
}

static void take_request(struct connection *connection) {
	struct port *port = connection->port;

	port->last_us = now_us;
	if (port->requests++ == 0)
		port->first_us = now_us;
	connection->waits = true;
	if (++port->waiting > port->waiting_peak)
		port->waiting_peak = port->waiting;
	if (port->behaviour == ANSWER && port->delay_ms == 0)
		answer(connection);
	else if (port->behaviour == ANSWER)
		put_off(connection);
}

/* The time until the next delayed answer, after those that are due were given. -1: there is none.
 * */
static int answer_due(void) {
	int64_t next_us = INT64_MAX;

	for (int i = 0; i < port_count; i++) {
		while (ports[i].due && ports[i].due->due_us <= now_us)
			answer(ports[i].due);
		if (ports[i].due && ports[i].due->due_us < next_us)
			next_us = ports[i].due->due_us;
	}
	return next_us == INT64_MAX ? -1 : (int)((next_us - now_us + 999) / 1000);
}

/* Requests. */

static void hang_up(struct connection *connection) {
	leave_due(connection);
	connection->port->waiting -= connection->waits;
	connection->port->connections--;
	stream_close(&connection->stream);
	free(connection->head);
	free(connection);
}

static size_t content_length(const char *head, size_t len) {
	static const char name[] = "\r\ncontent-length:";

	for (size_t i = 0; i + sizeof(name) < len; i++)
		if (head[i] == '\r' && strncasecmp(head + i, name, sizeof(name) - 1) == 0)
			return strtoul(head + i + sizeof(name) - 1, NULL, 10);
	return 0;
}

static void keep_head(struct connection *connection, const char *bytes, size_t len) {
	char *head;

	if (connection->head_len + len > READ_MAX)
		len = 0;
	head = realloc(connection->head, connection->head_len + len + 1);
	if (!head)
		die("realloc");
	connection->head = head;
	memcpy(connection->head + connection->head_len, bytes, len);
	connection->head_len += len;
}

/* The bytes are a head, or a part of one with the bytes kept before; its body may still come. */
static void read_head(struct connection *connection, const char *bytes, size_t len) {
	const char *head = bytes, *end;

	if (connection->head) {
		keep_head(connection, bytes, len);
		head = connection->head;
		len = connection->head_len;
	}
	end = memmem(head, len, "\r\n\r\n", 4);
	if (!end) {
		if (!connection->head)
			keep_head(connection, bytes, len);
		return;
	}
	end += 4;
	connection->body_left = content_length(head, (size_t)(end - head));
	len -= (size_t)(end - head);
	connection->body_left -= len < connection->body_left ? len : connection->body_left;
	free(connection->head);
	connection->head = NULL;
	connection->head_len = 0;
	if (connection->body_left == 0)
		take_request(connection);
}

static void receive(struct connection *connection) {
	static char bytes[READ_MAX];
	ssize_t len = stream_receive(&connection->stream, bytes, sizeof(bytes));

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0) {
		hang_up(connection);
		return;
	}
	connection->port->bytes += len;
	latency_look(bytes, (size_t)len, now_us, connection->port->group);
	if (connection->body_left == 0) {
		read_head(connection, bytes, (size_t)len);
	} else {
		connection->body_left -=
		    (size_t)len < connection->body_left ? (size_t)len : connection->body_left;
		if (connection->body_left == 0)
			take_request(connection);
	}
}

/* Ports. Events of a port point to it, those of a connection to that; standard input to nothing. */

static void watch(int fd, void *what) {
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event))
		die("epoll_ctl");
}

static void accept_all(struct port *port) {
	int fd;

	while ((fd = accept4(port->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct connection *connection = calloc(1, sizeof(*connection));

		if (!connection)
			die("calloc");
		stream_accepted(&connection->stream, fd, port->context);
		connection->port = port;
		if (++port->connections > port->connections_peak)
			port->connections_peak = port->connections;
		watch(fd, connection);
	}
}

/* Takes the port's number, any that is free where it has none yet. Until it listens it refuses. */
static void bind_port(struct port *port) {
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port->number) };
	socklen_t len = sizeof(address);
	static const int on = 1;

	port->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* Every address, but only as far as it is loopback's. */
	if (setsockopt(port->fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) ||
	    setsockopt(port->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(port->fd, (struct sockaddr *)&address, len) ||
	    getsockname(port->fd, (struct sockaddr *)&address, &len))
		die("bind");
	port->number = ntohs(address.sin_port);
}

static void listen_on(struct port *port) {
	if (listen(port->fd, BACKLOG))
		die("listen");
	watch(port->fd, port);
}

static void set_answer(struct port *port, int status, int delay_ms) {
	port->behaviour = ANSWER;
	port->delay_ms = delay_ms;
	port->answer_len = (size_t)snprintf(port->answer, sizeof(port->answer),
					    "HTTP/1.1 %d -\r\ncontent-length: 0\r\n%s\r\n", status,
					    port->parts ? "connection: close\r\n" : "");
}

static void set_refusing(struct port *port, bool refusing) {
	if (refusing == (port->behaviour == REFUSE))
		return;
	if (!refusing) {
		listen_on(port);
		return;
	}
	close(port->fd);
	bind_port(port);
}

/* Commands. */

static void open_ports(int count, const char *certificate) {
	struct ssl_ctx_st *context = certificate[0] ? stream_server_context(certificate) : NULL;

	group_count++;
	for (; count > 0 && port_count < PORTS_MAX; count--, port_count++) {
		ports[port_count].group = group_count;
		bind_port(&ports[port_count]);
		listen_on(&ports[port_count]);
		set_answer(&ports[port_count], 200, 0);
		ports[port_count].context = context;
		printf("%d ", ports[port_count].number);
	}
}

static void reset(void) {
	for (int i = 0; i < port_count; i++) {
		struct port *port = &ports[i];

		port->requests = port->bytes = port->first_us = port->last_us = 0;
		port->waiting_peak = port->waiting;
		port->connections_peak = port->connections;
	}
}

static void print_counts(void) {
	for (int i = 0; i < port_count; i++) {
		const struct port *port = &ports[i];

		printf("%s{\"port\":%d,\"requests\":%ld,\"bytes\":%ld,\"waiting\":%ld,\"waiting_"
		       "peak\":%ld,\"connections\":%ld,"
		       "\"connections_peak\":%ld,\"first_us\":%lld,\"last_us\":%lld}",
		       i ? "," : "[", port->number, port->requests, port->bytes, port->waiting,
		       port->waiting_peak, port->connections, port->connections_peak,
		       (long long)port->first_us, (long long)port->last_us);
	}
	printf("]");
}

static void behave(const char *verb, int number, int status, int delay_ms) {
	struct port *port = ports;

	while (port < ports + port_count && port->number != number)
		port++;
	if (port == ports + port_count) {
		printf("no such port");
		return;
	}
	set_refusing(port, strcmp(verb, "refuse") == 0);
	port->parts = strcmp(verb, "part") == 0;
	if (strcmp(verb, "answer") == 0 || port->parts)
		set_answer(port, status, delay_ms);
	else
		port->behaviour = strcmp(verb, "refuse") == 0 ? REFUSE : SILENT;
	printf("ok");
}

static void obey(const char *line) {
	char verb[16] = "", file[LINE_MAX_BYTES] = "";
	int number = 0, status = 200, delay_ms = 0;

	sscanf(line, "%15s %d %d %d", verb, &number, &status, &delay_ms);
	sscanf(line, "open %*d %511s", file);
	if (strcmp(verb, "open") == 0)
		open_ports(number, file);
	else if (strcmp(verb, "counts") == 0)
		print_counts();
	else if (strcmp(verb, "reset") == 0)
		reset();
	else if (strcmp(verb, "time") == 0)
		latency_begin();
	else if (strcmp(verb, "latencies") == 0)
		latency_end(number);
	else if (strcmp(verb, "answer") == 0 || strcmp(verb, "part") == 0 ||
		 strcmp(verb, "silent") == 0 || strcmp(verb, "refuse") == 0)
		behave(verb, number, status, delay_ms);
	else
		printf("no such command");
	printf("\n");
	fflush(stdout);
}

static void read_commands(void) {
	char line[LINE_MAX_BYTES];

	if (!fgets(line, sizeof(line), stdin))
		exit(0);
	obey(line);
}

static void handle(void *what) {
	struct port *port = what;

	if (!what)
		read_commands();
	else if (port >= ports && port < ports + PORTS_MAX)
		accept_all(port);
	else
		receive(what);
}

int main(void) {
	struct epoll_event events[EVENTS];
	struct rlimit files;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setvbuf(stdin, NULL, _IONBF, 0); /* what waits is to be seen by epoll */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	watch(STDIN_FILENO, NULL);
	now_us = monotonic_us();
	for (;;) {
		int count = epoll_wait(epoll_fd, events, EVENTS, answer_due());

		now_us = monotonic_us();
		for (int i = 0; i < count; i++)
			handle(events[i].data.ptr);
	}
}
