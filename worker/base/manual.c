#include "base/manual.h"

#include <ctype.h>

static void append_char(struct buffer *out, char c) {
	switch (c) {
	case '\\':
		buffer_append_string(out, "\\e");
		break;
	case '-': /* a plain "-" is a hyphen: it cannot be searched for or copied as an option */
		buffer_append_string(out, "\\-");
		break;
	case '\'':
		buffer_append_string(out, "\\(aq");
		break;
	case '`':
		buffer_append_string(out, "\\(ga");
		break;
	case '"': /* a quote would end a macro's argument */
		buffer_append_string(out, "\\(dq");
		break;
	case '^':
		buffer_append_string(out, "\\(ha");
		break;
	case '~':
		buffer_append_string(out, "\\(ti");
		break;
	default:
		buffer_append_char(out, c);
	}
}

static void append_escaped(struct buffer *out, const char *text, size_t len) {
	/* A dot at the beginning of a line would be a request. */
	if (len && text[0] == '.')
		buffer_append_string(out, "\\&");
	for (size_t i = 0; i < len; i++)
		append_char(out, text[i]);
}

static void append_line(struct buffer *out, const char *macro, const char *text) {
	buffer_printf(out, "%s \"", macro);
	append_escaped(out, text, strlen(text));
	buffer_append_string(out, "\"\n");
}

void manual_begin(struct buffer *out, const char *program, const char *version,
		  const char *purpose) {
	buffer_append_string(out, ".TH \"");
	for (const char *p = program; *p; p++)
		append_char(out, (char)toupper((unsigned char)*p));
	buffer_printf(out, "\" \"1\" \"\" \"posthorn %s\" \"posthorn\"\n", version);
	/* Neither hyphenates nor spreads long words, such as urls. */
	buffer_append_string(out, ".nh\n.ad l\n.SH \"NAME\"\n");
	append_escaped(out, program, strlen(program));
	buffer_append_string(out, " \\- ");
	append_escaped(out, purpose, strlen(purpose));
	buffer_append_char(out, '\n');
}

void manual_section(struct buffer *out, const char *title) {
	append_line(out, ".SH", title);
}

void manual_subsection(struct buffer *out, const char *title) {
	append_line(out, ".SS", title);
}

void manual_text(struct buffer *out, const char *text) {
	while (*text) {
		size_t len = strcspn(text, "\n");

		append_escaped(out, text, len);
		buffer_append_char(out, '\n');
		text += len + (text[len] == '\n');
	}
}

void manual_paragraph(struct buffer *out, const char *text) {
	buffer_append_string(out, ".PP\n");
	manual_text(out, text);
}

void manual_item(struct buffer *out, const char *term, const char *value, const char *text) {
	buffer_append_string(out, ".TP\n\\fB");
	append_escaped(out, term, strlen(term));
	buffer_append_string(out, "\\fR");
	if (value) {
		buffer_append_string(out, " \\fI");
		append_escaped(out, value, strlen(value));
		buffer_append_string(out, "\\fR");
	}
	buffer_append_char(out, '\n');
	manual_text(out, text);
}

void manual_command(struct buffer *out, const char *program, const char *arguments) {
	buffer_append_string(out, "\\fB");
	append_escaped(out, program, strlen(program));
	buffer_append_string(out, "\\fR ");
	append_escaped(out, arguments, strlen(arguments));
	buffer_append_string(out, "\n.br\n");
}

void manual_verbatim(struct buffer *out, const char *text) {
	buffer_append_string(out, ".RS 4\n.nf\n");
	manual_text(out, text);
	buffer_append_string(out, ".fi\n.RE\n");
}

void manual_reference(struct buffer *out, const char *program, int section, const char *rest) {
	buffer_append_string(out, "\\fB");
	append_escaped(out, program, strlen(program));
	buffer_printf(out, "\\fR(%d)", section);
	append_escaped(out, rest, strlen(rest));
	buffer_append_char(out, '\n');
}
