/* The thread of a loop, which turns round by round. Internal to the server. */
#pragma once

#include "http/server_state.h"

/* Initialises a loop; call for all loops before the first one starts. Returns 0 or a negative
 * errno. Join it in either case. */
int http_loop_init(struct http_loop *loop, struct http_server *server,
		   const struct http_options *options) _must_check_;
int http_loop_start(struct http_loop *loop) _must_check_;
/* Waits for the thread, and frees all but the loop itself; call after `stopping` is set. */
void http_loop_join(struct http_loop *loop);
