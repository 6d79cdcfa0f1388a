/* The HTTP server over sockets: what it answers, and what becomes of connections. */
#include "http/probe.h"
#include "http/server.h"
#include "unit.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BODY_MAX = 64,
	BIG_BYTES = 4 * 1024 * 1024,
	WAIT_MS = 20,
	SOON_MS = 200,
	NEVER_MS = 60 * 1000,
};

/* --- The server --- */

static void *answer_later(void *userdata) {
	struct http_request *request = userdata;

	usleep(WAIT_MS * 1000);
	http_answer_text(&request->answer, 202, "later");
	http_request_answered(request);
	return NULL;
}

static void wait_for_answer(struct http_request *request) {
	pthread_t thread;

	http_request_wait(request);
	assert_int_equal(pthread_create(&thread, NULL, answer_later, request), 0);
	pthread_detach(thread);
}

static void on_head(void *userdata _unused_, struct http_request *request) {
	if (!strcmp(request->head->path, "/forbidden"))
		http_answer_text(&request->answer, 403, "forbidden");
}

static void on_request(void *userdata _unused_, struct http_request *request) {
	if (!strcmp(request->head->path, "/later")) {
		wait_for_answer(request);
		return;
	}
	if (!strcmp(request->head->path, "/slow"))
		usleep(SOON_MS * 1000);
	http_answer_text(&request->answer, request->body.len ? 201 : 200, "");
	if (!strcmp(request->head->path, "/big"))
		for (size_t i = 0; i < BIG_BYTES; i++)
			buffer_append_char(&request->answer.body, 'x');
	else if (request->body.len)
		buffer_append(&request->answer.body, request->body.data, request->body.len);
}

static void on_refused(void *userdata _unused_, struct http_request *request, int status,
		       const char *message) {
	http_answer_text(&request->answer, status, message);
}

static struct http_server *start_server(unsigned connections_max, int64_t client_timeout_ms,
					int64_t idle_timeout_ms) {
	const struct http_handler handler = { on_head, on_request, on_refused, NULL };
	struct listen_address listen = { .host = (char[]){ "127.0.0.1" } };
	const struct http_options options = { .key = "test",
					      .listen = &listen,
					      .threads = 2,
					      .connections_max = connections_max,
					      .client_timeout_ms = client_timeout_ms,
					      .idle_timeout_ms = idle_timeout_ms,
					      .body_max = BODY_MAX,
					      .handler = &handler };
	struct http_server *server;

	assert_int_equal(http_server_start(&options, &server), 0);
	return server;
}

/* Waits until nothing is left of any request: the client may have its answer before. */
static void stop_server(struct http_server *server) {
	while (http_server_requests(server))
		usleep(1000);
	http_server_stop(server);
	assert_int_equal(http_server_connections(server), 0);
	http_server_free(server);
}

/* --- A client --- */

static int connect_to(const struct http_server *server) {
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons(http_server_port(server)),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timeval patience = { .tv_sec = 30 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* In pieces of `piece` bytes. A server that has refused the first may have closed by the last. */
static void send_bytes(int fd, const char *bytes, size_t piece) {
	for (size_t at = 0, len = strlen(bytes); at < len; at += piece)
		if (send(fd, bytes + at, MIN(piece, len - at), MSG_NOSIGNAL) < 0)
			return;
}

/* Reads until the server closes, or until `until` has come (NULL: never). */
static void read_answer(int fd, const char *until, struct buffer *out) {
	char bytes[16 * 1024];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
		buffer_append(out, bytes, (size_t)n);
		if (until && strstr(out->data, until))
			return;
	}
	assert_int_equal(n, 0);
}

/* The statuses of the answers, "200 400". */
static void append_statuses(const struct buffer *answers, struct buffer *out) {
	for (const char *at = answers->data; at && (at = strstr(at, "HTTP/1.1 ")); at += 9)
		if (isdigit((unsigned char)at[9]))
			buffer_printf(out, "%s%.3s", out->len ? " " : "", at + 9);
}

/* --- Requests and answers --- */

#define HEAD(method, path) method " " path " HTTP/1.1\r\nhost: x\r\n"
#define GET(path) HEAD("GET", path) "\r\n"
#define LAST HEAD("GET", "/") "connection: close\r\n\r\n"
#define POST(fields, body) HEAD("POST", "/") fields "\r\n\r\n" body
#define TEN "0123456789"

static const struct {
	const char *name, *sent, *statuses, *has;
} rows[] = {
	{ "one request", LAST, "200", "content-length: 0" },
	{ "an empty line before it", "\r\n" LAST, "200", NULL },
	{ "two empty lines before it", "\r\n\r\n" LAST, "400", NULL },
	{ "three in a row", GET("/") GET("/") LAST, "200 200 200", NULL },
	{ "a body", POST("content-length: 3", "abc") LAST, "201 200", "\r\n\r\nabc" },
	{ "a body of chunks",
	  POST("transfer-encoding: chunked", "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n") LAST, "201 200",
	  "\r\n\r\nabc" },
	{ "a trailer", POST("transfer-encoding: chunked", "1\r\na\r\n0\r\nx: y\r\n\r\n") LAST,
	  "201 200", NULL },
	{ "a body that nobody wants",
	  HEAD("POST", "/forbidden") "content-length: 3\r\n\r\nabc" LAST, "403 200", NULL },
	{ "a body that is too large", POST("content-length: 70", TEN TEN TEN TEN TEN TEN TEN) LAST,
	  "413 200", NULL },
	{ "chunks that are too large",
	  POST("transfer-encoding: chunked", "46\r\n" TEN TEN TEN TEN TEN TEN TEN "\r\n0\r\n\r\n")
	      LAST,
	  "413 200", NULL },
	{ "a body too large to be dropped", POST("content-length: 99999999", ""), "413", NULL },
	{ "a bad chunk", POST("transfer-encoding: chunked", "x\r\n") LAST, "400",
	  "connection: close" },
	{ "two lengths", POST("content-length: 1\r\ncontent-length: 2", "a") LAST, "400",
	  "connection: close" },
	{ "a bare line feed", "GET / HTTP/1.1\nhost: x\n\n" LAST, "400", NULL },
	{ "another version", "GET / HTTP/2.0\r\nhost: x\r\n\r\n" LAST, "505", NULL },
	{ "HTTP/1.0", "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n" LAST, "200",
	  "connection: close" },
	{ "HEAD", HEAD("HEAD", "/big") "\r\n" LAST, "200 200", "content-length: 4194304" },
	{ "an answer from another thread", GET("/later") LAST, "202 200", "\r\n\r\nlater" },
	{ "answers from other threads", GET("/later") GET("/later") GET("/") LAST,
	  "202 202 200 200", NULL },
	{ "an answer without its body wanted",
	  HEAD("POST", "/forbidden") "expect: 100-continue\r\ncontent-length: 3\r\n\r\n", "403",
	  "connection: close" },
};

static void check_rows(size_t piece) {
	struct http_server *server = start_server(16, NEVER_MS, NEVER_MS);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(buffer_destroy) struct buffer answers = BUFFER_INIT(2 * BIG_BYTES),
							statuses = BUFFER_INIT(1024);
		int fd = connect_to(server);

		send_bytes(fd, rows[i].sent, piece);
		read_answer(fd, NULL, &answers);
		append_statuses(&answers, &statuses);
		close(fd);
		if (!statuses.len || strcmp(statuses.data, rows[i].statuses) != 0 ||
		    (rows[i].has && !strstr(answers.data, rows[i].has))) {
			print_error("%s: %s: %.300s\n", rows[i].name,
				    statuses.len ? statuses.data : "nothing",
				    answers.len ? answers.data : "");
			fail();
		}
	}
	stop_server(server);
}

static void requests_are_answered_one_after_the_other(void **state _unused_) {
	check_rows(SIZE_MAX);
}

static void the_pieces_of_a_request_do_not_matter(void **state _unused_) {
	check_rows(1);
	check_rows(7);
}

static void one_empty_line_is_skipped_and_no_second_one(void **state _unused_) {
	struct http_server *server = start_server(16, NEVER_MS, NEVER_MS);
	_cleanup_(buffer_destroy) struct buffer answers = BUFFER_INIT(BIG_BYTES);
	int fd = connect_to(server);

	send_bytes(fd, "\r\n", SIZE_MAX);
	usleep(WAIT_MS * 1000);
	send_bytes(fd, "\r\n" LAST, SIZE_MAX);
	read_answer(fd, NULL, &answers);
	assert_non_null(strstr(answers.data, "HTTP/1.1 400 "));
	close(fd);
	stop_server(server);
}

static void a_client_that_asks_is_told_to_continue(void **state _unused_) {
	struct http_server *server = start_server(16, NEVER_MS, NEVER_MS);
	_cleanup_(buffer_destroy) struct buffer answers = BUFFER_INIT(BIG_BYTES);
	int fd = connect_to(server);

	send_bytes(fd, POST("content-length: 3\r\nexpect: 100-continue\r\nconnection: close", ""),
		   SIZE_MAX);
	read_answer(fd, "100 Continue\r\n\r\n", &answers);
	send_bytes(fd, "abc", SIZE_MAX);
	read_answer(fd, NULL, &answers);
	assert_non_null(strstr(answers.data, "HTTP/1.1 201 "));
	close(fd);
	stop_server(server);
}

static void a_large_answer_comes_whole(void **state _unused_) {
	struct http_server *server = start_server(16, NEVER_MS, NEVER_MS);
	_cleanup_(buffer_destroy) struct buffer answers = BUFFER_INIT(2 * BIG_BYTES);
	int fd = connect_to(server);

	send_bytes(fd, HEAD("GET", "/big") "connection: close\r\n\r\n", SIZE_MAX);
	usleep(WAIT_MS * 1000);
	read_answer(fd, NULL, &answers);
	assert_int_equal(strlen(strstr(answers.data, "\r\n\r\n") + 4), BIG_BYTES);
	close(fd);
	stop_server(server);
}

/* --- Connections --- */

static void a_client_that_says_nothing_is_closed(void **state _unused_) {
	struct http_server *server = start_server(16, SOON_MS, NEVER_MS);
	_cleanup_(buffer_destroy) struct buffer answers = BUFFER_INIT(1024);
	int silent = connect_to(server), half = connect_to(server);

	send_bytes(half, "GET / HTTP/1.1\r\nho", SIZE_MAX);
	read_answer(silent, NULL, &answers);
	read_answer(half, NULL, &answers);
	assert_int_equal(answers.len, 0);
	close(silent);
	close(half);
	stop_server(server);
}

static void an_idle_connection_is_closed(void **state _unused_) {
	struct http_server *server = start_server(16, NEVER_MS, SOON_MS);
	_cleanup_(buffer_destroy) struct buffer answers = BUFFER_INIT(1024);
	int fd = connect_to(server);

	send_bytes(fd, GET("/"), SIZE_MAX);
	read_answer(fd, NULL, &answers);
	assert_non_null(strstr(answers.data, "HTTP/1.1 200 "));
	assert_null(strstr(answers.data, "connection: close"));
	close(fd);
	stop_server(server);
}

static void a_connection_makes_room_for_the_next(void **state _unused_) {
	struct http_server *server = start_server(1, NEVER_MS, NEVER_MS);
	_cleanup_(buffer_destroy) struct buffer nothing = BUFFER_INIT(1024),
						answer = BUFFER_INIT(1024);
	int silent = connect_to(server), asking = connect_to(server);

	send_bytes(asking, LAST, SIZE_MAX);
	read_answer(asking, NULL, &answer);
	read_answer(silent, NULL, &nothing);
	assert_non_null(strstr(answer.data, "HTTP/1.1 200 "));
	assert_int_equal(nothing.len, 0);
	close(silent);
	close(asking);
	stop_server(server);
}

static void a_drained_server_ends_each_connection_with_an_answer(void **state _unused_) {
	struct http_server *server = start_server(16, NEVER_MS, NEVER_MS);
	_cleanup_(buffer_destroy) struct buffer answers = BUFFER_INIT(1024);
	int fd = connect_to(server);

	send_bytes(fd, GET("/later"), SIZE_MAX);
	while (!http_server_owed(server))
		usleep(1000);
	http_server_drain(server);
	read_answer(fd, NULL, &answers);
	assert_non_null(strstr(answers.data, "HTTP/1.1 202 "));
	assert_non_null(strstr(answers.data, "connection: close"));
	assert_int_equal(http_server_owed(server), 0);
	close(fd);
	stop_server(server);
}

static void a_thread_that_does_not_come_round_is_noticed(void **state _unused_) {
	struct http_server *server = start_server(16, NEVER_MS, NEVER_MS);
	_cleanup_(buffer_destroy) struct buffer answers = BUFFER_INIT(1024);
	int fd = connect_to(server);

	usleep(2 * WAIT_MS * 1000);
	assert_false(http_server_is_stuck(server, WAIT_MS)); /* it only waits */
	send_bytes(fd, GET("/slow"), SIZE_MAX);
	while (!http_server_is_stuck(server, WAIT_MS))
		usleep(1000);
	assert_false(http_server_is_stuck(server, NEVER_MS));
	read_answer(fd, "200", &answers);
	close(fd);
	stop_server(server);
}

static void a_probe_gets_the_answer(void **state _unused_) {
	struct http_server *server = start_server(16, NEVER_MS, NEVER_MS);
	const struct listen_address listen = { .host = (char[]){ "0.0.0.0" },
					       .port = http_server_port(server) };
	_cleanup_(buffer_destroy) struct buffer well = BUFFER_INIT(1024),
						refused = BUFFER_INIT(1024);

	assert_int_equal(http_probe(&listen, "/", &well), 0);
	assert_int_equal(http_probe(&listen, "/forbidden", &refused), HTTP_PROBE_E_REFUSED);
	assert_string_equal(refused.data, "forbidden");
	stop_server(server);
	assert_int_equal(http_probe(&listen, "/", &well), -ECONNREFUSED);
	assert_int_equal(well.len, 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_answered_one_after_the_other),
		cmocka_unit_test(the_pieces_of_a_request_do_not_matter),
		cmocka_unit_test(one_empty_line_is_skipped_and_no_second_one),
		cmocka_unit_test(a_client_that_asks_is_told_to_continue),
		cmocka_unit_test(a_large_answer_comes_whole),
		cmocka_unit_test(a_client_that_says_nothing_is_closed),
		cmocka_unit_test(an_idle_connection_is_closed),
		cmocka_unit_test(a_connection_makes_room_for_the_next),
		cmocka_unit_test(a_thread_that_does_not_come_round_is_noticed),
		cmocka_unit_test(a_probe_gets_the_answer),
		cmocka_unit_test(a_drained_server_ends_each_connection_with_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
