#include "gateway/http_server.h"

#include "base/clock.h"
#include "gateway/http_connection.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

/* A connection's memory holds its head, and a portion of a body or of an answer. */
enum { CONNECTION_MEMORY = 4 * HTTP_HEAD_MAX, BACKLOG = 1024 };

struct http_server {
	struct MHD_Daemon *daemon;
	struct http_connections *connections;
	struct http_handler handler;
	size_t body_max;
	atomic_uint requests; /* that are complete, up to the end of their answer */
	atomic_bool draining;
	bool quiesced; /* the listening socket is ours to close */
	int listen_fd;
};

/* A request as this file keeps it. */
struct entry {
	struct http_request request; /* first: what others have points here */
	struct http_server *server;
	struct MHD_Connection *connection;
	struct http_connection *watched;
	size_t dropped; /* bytes of a body that nobody wants */
	bool has_head;
	bool is_complete;
	bool waits;
};

/* --- Heads --- */

static bool has_prefix(const char *text, const char *prefix) {
	return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* http://host/path is as good as /path. Source: RFC 9112 section 3.2.2. */
static const char *skip_authority(const char *target) {
	const char *rest = has_prefix(target, "http://") ? target + 7 : has_prefix(target, "https://") ? target + 8 : NULL;

	if (!rest)
		return target;
	rest += strcspn(rest, "/?");
	return *rest == '/' ? rest : "/";
}

static void *on_target(void *userdata, const char *target, struct MHD_Connection *connection) {
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct arena *arena = arena_new();
	struct entry *entry = arena_zalloc(arena, sizeof(*entry));
	char *path = arena_strdup(arena, skip_authority(target)), *query = strchr(path, '?');

	if (query)
		*query++ = '\0';
	*entry = (struct entry){ .request = { .arena = arena, .path = path, .query = query },
				 .server = userdata,
				 .connection = connection,
				 .watched = info ? info->socket_context : NULL };
	entry->request.body = BUFFER_INIT(entry->server->body_max);
	return entry;
}

/* Nothing is decoded here: a path is compared part by part, and only then decoded (router.h). */
static size_t leave_escaped(void *userdata _unused_, struct MHD_Connection *connection _unused_, char *text) {
	return strlen(text);
}

const char *http_request_header(const struct http_request *request, const char *name) {
	return MHD_lookup_connection_value(((const struct entry *)request)->connection, MHD_HEADER_KIND, name);
}

struct header_count {
	const char *name;
	size_t count;
};

static enum MHD_Result count_header(void *userdata, enum MHD_ValueKind kind _unused_, const char *name, const char *value _unused_) {
	struct header_count *count = userdata;

	count->count += strcasecmp(name, count->name) == 0;
	return MHD_YES;
}

size_t http_request_header_count(const struct http_request *request, const char *name) {
	struct header_count count = { .name = name };

	MHD_get_connection_values(((const struct entry *)request)->connection, MHD_HEADER_KIND, count_header, &count);
	return count.count;
}

static size_t declared_length(const struct http_request *request) {
	const char *text = http_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
	unsigned long long length;

	if (!text || strlen(text) > 18)
		return text ? SIZE_MAX : 0;
	return sscanf(text, "%llu", &length) == 1 ? (size_t)length : SIZE_MAX;
}

/* What two programs in a row could read in two ways is refused, and nothing that follows is believed. Source: RFC 9112 sections 3.2 and 6.3, 11.2. */
static const char *find_ambiguity(const struct http_request *request, const char *version) {
	size_t lengths = http_request_header_count(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
	const char *coding = http_request_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING);

	if (lengths > 1 || (lengths && coding))
		return "The length of the body is given twice.";
	if (coding && (strcasecmp(coding, "chunked") != 0 || http_request_header_count(request, MHD_HTTP_HEADER_TRANSFER_ENCODING) > 1))
		return "The only transfer coding that is understood is chunked.";
	if (http_request_header_count(request, MHD_HTTP_HEADER_HOST) > 1)
		return "There is more than one Host header.";
	if (!http_request_header(request, MHD_HTTP_HEADER_HOST) && strcmp(version, MHD_HTTP_VERSION_1_0) != 0)
		return "There is no Host header.";
	return NULL;
}

static size_t head_size(const struct entry *entry) {
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(entry->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	return info ? info->header_size : 0;
}

static void refuse(struct entry *entry, int status, const char *message) {
	entry->server->handler.on_refused(entry->server->handler.userdata, &entry->request, status, message);
}

/* A body that would be too much even to drop is not waited for. */
static bool is_worth_draining(const struct entry *entry) {
	const char *expect = http_request_header(&entry->request, MHD_HTTP_HEADER_EXPECT);

	return declared_length(&entry->request) <= HTTP_DRAIN_MAX && !(expect && strcasecmp(expect, "100-continue") == 0);
}

static void take_head(struct entry *entry, const char *version) {
	struct http_request *request = &entry->request;
	const char *ambiguity = find_ambiguity(request, version);

	request->has_body = declared_length(request) || http_request_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING);
	if (head_size(entry) > HTTP_HEAD_MAX)
		refuse(entry, 431, "The head of the request has more than 16 KiB.");
	else if (ambiguity)
		refuse(entry, 400, ambiguity);
	else
		entry->server->handler.on_head(entry->server->handler.userdata, request);
	if (!request->answer.status && declared_length(request) > entry->server->body_max)
		refuse(entry, 413, "The body is too large.");
	if (ambiguity || declared_length(request) > HTTP_DRAIN_MAX)
		request->answer.closes = true;
}

/* --- Answers --- */

void http_answer_header(struct http_answer *answer, const char *name, const char *value) {
	if (answer->header_count == HTTP_ANSWER_HEADERS_MAX)
		abort();
	answer->headers[answer->header_count++] = (struct http_header){ name, value };
}

static enum MHD_Result send_answer(struct entry *entry) {
	struct http_answer *answer = &entry->request.answer;
	struct buffer *body = &answer->body;
	struct MHD_Response *response = MHD_create_response_from_buffer(body->len, body->data ? body->data : (void *)(uintptr_t) "",
									body->data ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	*body = (struct buffer){ 0 };
	if (answer->content_type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
	for (size_t i = 0; i < answer->header_count; i++)
		MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
	if (answer->closes || atomic_load(&entry->server->draining))
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	http_connection_expect(entry->server->connections, entry->watched);
	result = MHD_queue_response(entry->connection, (unsigned)answer->status, response);
	MHD_destroy_response(response);
	return result;
}

void http_request_wait(struct http_request *request) {
	struct entry *entry = (struct entry *)request;

	entry->waits = true;
	MHD_suspend_connection(entry->connection);
}

void http_request_answered(struct http_request *request) {
	MHD_resume_connection(((struct entry *)request)->connection);
}

/* --- What libmicrohttpd calls --- */

static enum MHD_Result take_portion(struct entry *entry, const char *bytes, size_t *len) {
	struct http_request *request = &entry->request;

	if (!request->answer.status && !request->body_too_large)
		buffer_append(&request->body, bytes, *len);
	if (request->body.overflowed) {
		request->body_too_large = true;
		buffer_destroy(&request->body);
		request->body = BUFFER_INIT(entry->server->body_max);
	}
	if (request->answer.status || request->body_too_large)
		entry->dropped += *len;
	*len = 0;
	return entry->dropped > HTTP_DRAIN_MAX ? MHD_NO : MHD_YES;
}

static void complete(struct entry *entry) {
	entry->is_complete = true;
	atomic_fetch_add(&entry->server->requests, 1);
	http_connection_rest(entry->watched);
	if (entry->request.answer.status)
		return;
	if (entry->request.body_too_large)
		refuse(entry, 413, "The body is too large.");
	else
		entry->server->handler.on_request(entry->server->handler.userdata, &entry->request);
}

static enum MHD_Result serve(void *userdata _unused_, struct MHD_Connection *connection _unused_, const char *path _unused_, const char *method,
			     const char *version, const char *upload, size_t *upload_len, void **state) {
	struct entry *entry = *state;

	if (!entry->has_head) {
		entry->has_head = true;
		entry->request.method = arena_strdup(entry->request.arena, method);
		take_head(entry, version);
		if (entry->request.answer.status && (entry->request.answer.closes || (entry->request.has_body && !is_worth_draining(entry))))
			return send_answer(entry);
		return MHD_YES;
	}
	if (*upload_len)
		return take_portion(entry, upload, upload_len);
	if (entry->waits)
		return send_answer(entry); /* resumed: somebody answered */
	complete(entry);
	/* Whether it was answered meanwhile is not asked here: it is sent when the connection is resumed. */
	return entry->waits ? MHD_YES : send_answer(entry);
}

static void on_completed(void *userdata _unused_, struct MHD_Connection *connection _unused_, void **state,
			 enum MHD_RequestTerminationCode code _unused_) {
	struct entry *entry = *state;

	if (!entry)
		return;
	*state = NULL;
	if (entry->is_complete)
		atomic_fetch_sub(&entry->server->requests, 1);
	http_connection_expect(entry->server->connections, entry->watched);
	buffer_destroy(&entry->request.body);
	buffer_destroy(&entry->request.answer.body);
	arena_free(entry->request.arena);
}

static void on_connection(void *userdata, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode code) {
	struct http_server *server = userdata;
	const union MHD_ConnectionInfo *info;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		http_connections_remove(server->connections, *context);
		*context = NULL;
		return;
	}
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	*context = http_connections_add(server->connections, info->connect_fd);
}

static void on_log(void *userdata _unused_, const char *format, va_list args) {
	char text[256];

	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug("libmicrohttpd", "text=%s", log_quote(text));
}

/* --- Its life --- */

static int resolve(const struct http_options *options, struct addrinfo **out) {
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	char port[8];
	int error;

	snprintf(port, sizeof(port), "%u", options->listen->port);
	error = getaddrinfo(options->listen->host, port, &hints, out);
	if (!error)
		return 0;
	log_error("cannot resolve the address to listen on", "key=%s host=%s error=%s", options->key, log_quote(options->listen->host),
		  log_quote(gai_strerror(error)));
	return -EADDRNOTAVAIL;
}

static struct MHD_Daemon *start_daemon(struct http_server *server, const struct http_options *options, const struct addrinfo *address) {
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	const struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)options->certificate },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)options->private_key },
		{ MHD_OPTION_END, 0, NULL },
	};
	const struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };
	/* One thread is not a pool of one. */
	const struct MHD_OptionItem pool[] = { { MHD_OPTION_THREAD_POOL_SIZE, options->threads, NULL }, { MHD_OPTION_END, 0, NULL } };

	if (address->ai_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	if (options->certificate)
		flags |= MHD_USE_TLS;
	/* The logger first: it is told of what is wrong with the others. */
	return MHD_start_daemon(flags, options->listen->port, NULL, NULL, serve, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
				MHD_OPTION_ARRAY, options->certificate ? tls : none, MHD_OPTION_ARRAY, options->threads > 1 ? pool : none,
				MHD_OPTION_SOCK_ADDR, address->ai_addr, MHD_OPTION_URI_LOG_CALLBACK, on_target, server,
				MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_CONNECTION_LIMIT, options->connections_max,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_LISTEN_BACKLOG_SIZE,
				(unsigned)BACKLOG, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_END);
}

int http_server_start(const struct http_options *options, struct http_server **out) {
	_cleanup_(http_server_stopp) struct http_server *server = x_calloc(1, sizeof(*server));
	struct addrinfo *address;

	server->handler = *options->handler;
	server->body_max = options->body_max;
	server->connections = http_connections_new(options->client_timeout_ms);
	if (resolve(options, &address) < 0)
		return -EADDRNOTAVAIL;
	errno = 0;
	server->daemon = start_daemon(server, options, address);
	freeaddrinfo(address);
	if (!server->daemon) {
		log_error("cannot listen", "key=%s host=%s port=%u error=%s", options->key, log_quote(options->listen->host),
			  options->listen->port, log_quote(errno ? strerror(errno) : "the certificate or its key is refused"));
		return -EADDRINUSE;
	}
	*out = TAKE(server);
	return 0;
}

uint16_t http_server_port(const struct http_server *server) {
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);

	return info ? info->port : 0;
}

void http_server_sweep(struct http_server *server) {
	http_connections_sweep(server->connections);
}

unsigned http_server_connections(const struct http_server *server) {
	return http_connections_count(server->connections);
}

unsigned http_server_requests(const struct http_server *server) {
	return atomic_load(&server->requests);
}

void http_server_drain(struct http_server *server) {
	atomic_store(&server->draining, true);
	server->listen_fd = MHD_quiesce_daemon(server->daemon);
	server->quiesced = server->listen_fd != MHD_INVALID_SOCKET;
}

void http_server_stop(struct http_server *server) {
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	if (server->quiesced)
		close(server->listen_fd);
	http_connections_free(server->connections);
	free(server);
}
