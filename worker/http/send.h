/* How the answer to a connection's request goes out. Internal to the server. */
#pragma once

#include "http/connection.h"

/* Prepares the request's answer: the state becomes SENDING. Returns AGAIN. */
enum http_progress http_send_begin(struct http_connection *connection) _must_check_;
/* Prepares a refusal, or the answer where there is one already. The connection ends with it,
 * since nothing behind the fault is valid. */
enum http_progress http_send_refusal(struct http_connection *connection,
				     struct http_refusal why) _must_check_;
/* Sends on. Source of the linger behind the last answer: RFC 9112 section 9.6. */
enum http_progress http_send_step(struct http_connection *connection) _must_check_;
