/*
 * Static files: the page at "/" with its parts (page/), and the description of the API. They are
 * compiled in (embed.cmake).
 *
 * The page is a client of the API without rights of its own: its user enters a token. All its parts
 * come from this server, and its policy enforces that in the browser: no inline script or style, no
 * other host, no frame. Source: W3C Content Security Policy Level 3.
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
