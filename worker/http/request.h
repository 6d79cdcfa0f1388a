/* A request and its answer, as handlers see them. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "http/head.h"

enum { HTTP_ANSWER_HEADERS_MAX = 16 };

struct http_answer {
	int status;               /* 0: none yet */
	const char *content_type; /* NULL: no body */
	struct buffer body;       /* taken over when it is sent */
	const char *fixed;        /* instead of `body`: bytes that outlive the server */
	size_t fixed_len;
	struct http_header
	    headers[HTTP_ANSWER_HEADERS_MAX]; /* text in the request's arena, or static */
	size_t header_count;
	bool closes; /* the connection, behind it */
};

/* Everything is borrowed from the request, which lives until its answer was sent. */
struct http_request {
	struct arena *arena;
	const struct http_head
	    *head; /* of one that could not be read: the fields before the fault */
	struct buffer body;
	bool body_too_large; /* what there was of it is dropped */
	bool has_body;
	struct http_answer answer;
	void *userdata; /* the handler's own */
};

/* All on the thread of the request's connection. */
struct http_handler {
	/* The head is there. May answer at once. */
	void (*on_head)(void *userdata, struct http_request *request);
	/* All of it is there. Answers, or calls http_request_wait first and sees to it that
	 * somebody answers later. */
	void (*on_request)(void *userdata, struct http_request *request);
	/* What a failure of HTTP itself is answered with: http_refusal's statuses, and 500. */
	void (*on_refused)(void *userdata, struct http_request *request, int status,
			   const char *message);
	void *userdata;
};

/* A header's value without the blanks around it, or NULL. */
const char *http_request_header(const struct http_request *request, const char *name);
size_t http_request_header_count(const struct http_request *request, const char *name);

/* The answer will come from elsewhere. Before anybody is told who could answer. */
void http_request_wait(struct http_request *request);
/* Any thread, once, after http_request_wait: `answer` is there. The request is not touched by the
 * caller any more. */
void http_request_answered(struct http_request *request);

void http_answer_header(struct http_answer *answer, const char *name, const char *value);
/* An answer of plain text, which is copied. */
void http_answer_text(struct http_answer *answer, int status, const char *text);

/*
 * Writes the head of an answer. `date` is the time of the message (IMF-fixdate); `closes` and the
 * answer's own are both obeyed. Source: RFC 9112 sections 4 and 6.3, RFC 9110 sections 6.6.1
 * and 8.6.
 */
void http_answer_write_head(const struct http_answer *answer, const char *date, bool closes,
			    struct buffer *out);
size_t http_answer_body_len(const struct http_answer *answer);
