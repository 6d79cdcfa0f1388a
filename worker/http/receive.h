/* How a connection's request comes in: its head, then its body. Internal to the server. */
#pragma once

#include "http/connection.h"

/* A step in HEAD. */
enum http_progress http_receive_head(struct http_connection *connection) _must_check_;
/* A step in BODY. */
enum http_progress http_receive_body(struct http_connection *connection) _must_check_;
