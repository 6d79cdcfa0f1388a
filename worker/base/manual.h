/*
 * A page of the manual, written piece by piece from the programs' own tables. Text is plain, and
 * escaped here: it may hold anything printable. Source: groff_man(7), and man(7) for what other
 * implementations know of it.
 */
#pragma once

#include "base/buffer.h"

/* The title and the section NAME. */
void manual_begin(struct buffer *out, const char *program, const char *version,
		  const char *purpose);
void manual_section(struct buffer *out, const char *title);
void manual_subsection(struct buffer *out, const char *title);
/* Lines of text; the page breaks them anew. The second begins a paragraph. */
void manual_text(struct buffer *out, const char *text);
void manual_paragraph(struct buffer *out, const char *text);
/* An indented text under its term; `value` (NULL: none) stands beside it as what is to be filled
 * in. */
void manual_item(struct buffer *out, const char *term, const char *value, const char *text);
/* A line of SYNOPSIS. */
void manual_command(struct buffer *out, const char *program, const char *arguments);
/* Lines that stay as they are, indented. */
void manual_verbatim(struct buffer *out, const char *text);
/* "program(section)" and what follows it. */
void manual_reference(struct buffer *out, const char *program, int section, const char *rest);
