/* How the answer to a connection's request goes out. Internal to the server. */
#pragma once

#include "http/connection.h"

/* The request's answer is there: SENDING begins. Each of these returns what http_send_step would
 * need next: another step. */
enum http_progress http_send_begin(struct http_connection *connection) _must_check_;
/* The same after a refusal: an answer that is there already stays, and the connection ends with it,
 * since nothing that follows on it is believed. */
enum http_progress http_send_refusal(struct http_connection *connection,
				     struct http_refusal why) _must_check_;
/* Sends on. Source of the linger behind the last answer: RFC 9112 section 9.6. */
enum http_progress http_send_step(struct http_connection *connection) _must_check_;
