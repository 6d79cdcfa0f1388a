/*
 * What is served as it is: the page at "/" with what belongs to it (page/), and the description of
 * the API. Compiled in (embed.cmake).
 *
 * The page is a client of the API like any other and has no rights of its own; whoever opens it
 * brings a token. Nothing in it comes from elsewhere, and its policy says so to the browser: no
 * inline script or style, no other host, no frame. Source: W3C Content Security Policy Level 3.
 */
#pragma once

#include <stddef.h>

struct static_file {
	const char *path; /* of the request; routes.c has a row for each */
	const char *content_type;
	const unsigned char *bytes;
	size_t len;
};

/* Ends with an empty row. */
extern const struct static_file static_files[];
