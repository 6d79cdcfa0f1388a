/* A request and its answer, as handlers see them. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "http/head.h"

enum { HTTP_ANSWER_HEADERS_MAX = 16 };

struct http_answer {
	int status;               /* 0: none yet */
	const char *content_type; /* NULL: no body */
	struct buffer body;       /* taken when the answer is sent */
	const char *fixed;        /* used instead of `body`: bytes that outlive the server */
	size_t fixed_len;
	struct http_header
	    headers[HTTP_ANSWER_HEADERS_MAX]; /* text in the request's arena, or static */
	size_t header_count;
	bool closes; /* whether the connection is closed after it */
};

/* Everything is borrowed from the request, which lives until its answer is sent. */
struct http_request {
	struct arena *arena;
	const struct http_head *head; /* for a malformed request: the fields before the fault */
	struct buffer body;
	bool body_too_large; /* the body is dropped */
	bool has_body;
	struct http_answer answer;
	void *userdata; /* the handler's own */
};

/* Handler functions, all on the thread of the request's connection. */
struct http_handler {
	/* Called with the head. May answer at once. */
	void (*on_head)(void *userdata, struct http_request *request);
	/* Called with the whole request. Answers, or calls http_request_wait and has another
	 * thread answer. */
	void (*on_request)(void *userdata, struct http_request *request);
	/* Answers a fault of HTTP itself: the statuses of http_refusal, and 500. */
	void (*on_refused)(void *userdata, struct http_request *request, int status,
			   const char *message);
	void *userdata;
};

/* A header's value without surrounding blanks, or NULL. */
const char *http_request_header(const struct http_request *request, const char *name);
size_t http_request_header_count(const struct http_request *request, const char *name);
/* The values of all such headers as one list, joined by commas in their order, in the request's
 * arena; NULL: there is none. Source: RFC 9110 section 5.3. */
const char *http_request_header_list(const struct http_request *request, const char *name);

/* Announces that another thread will answer. Call before that thread learns of the request. */
void http_request_wait(struct http_request *request);
/* Sends `answer`. On any thread, once, after http_request_wait. The caller must not touch the
 * request afterwards. */
void http_request_answered(struct http_request *request);

void http_answer_header(struct http_answer *answer, const char *name, const char *value);
/* Answers with plain text, which is copied. */
void http_answer_text(struct http_answer *answer, int status, const char *text);

/*
 * Writes the head of an answer. `date` is the time of the message (IMF-fixdate). The connection
 * closes if either `closes` or the answer says so. Source: RFC 9112 sections 4 and 6.3, RFC 9110
 * sections 6.6.1 and 8.6.
 */
void http_answer_write_head(const struct http_answer *answer, const char *date, bool closes,
			    struct buffer *out);
size_t http_answer_body_len(const struct http_answer *answer);
