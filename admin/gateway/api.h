/*
 * The handler of the API's server: the checks before a route's own handler is called.
 *
 *     head ── path (400, 404) ── method (405, OPTIONS) ── token (401) ── content type (415)
 *                                                                              │
 *                                                          handler ◄── body ◄──┘
 */
#pragma once

#include "http/request.h"

/* `userdata` is the gateway. */
extern const struct http_handler api_handler;
