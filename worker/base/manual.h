/* A writer of a manual page, from the programs' own tables. Text is plain and escaped here, so
 * any printable text is allowed. Source: groff_man(7); man(7) for other implementations. */
#pragma once

#include "base/buffer.h"

/* The title and the section NAME. */
void manual_begin(struct buffer *out, const char *program, const char *version,
		  const char *purpose);
void manual_section(struct buffer *out, const char *title);
void manual_subsection(struct buffer *out, const char *title);
/* Lines of text, which the page wraps again. manual_paragraph begins a paragraph. */
void manual_text(struct buffer *out, const char *text);
void manual_paragraph(struct buffer *out, const char *text);
/* An indented text under its term. `value` (NULL: none) stands beside the term as a placeholder. */
void manual_item(struct buffer *out, const char *term, const char *value, const char *text);
/* A line of SYNOPSIS. */
void manual_command(struct buffer *out, const char *program, const char *arguments);
/* Lines that are kept as they are, indented. */
void manual_verbatim(struct buffer *out, const char *text);
/* "program(section)" and the text behind it. */
void manual_reference(struct buffer *out, const char *program, int section, const char *rest);
