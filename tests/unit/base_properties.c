#include "base/buffer.h"
#include "base/properties.h"
#include "unit.h"

/* The parsed entries, as `line:key=value` or `line!`, with a space between. */
static void take_entry(void *context, unsigned line, const char *key, const char *value) {
	buffer_printf(context, "%u:%s=%s ", line, key, value);
}

static void take_problem(void *context, unsigned line, const char *rule _unused_) {
	buffer_printf(context, "%u! ", line);
}

static const struct {
	const char *name;
	const char *text;
	const char *read;
} files[] = {
	{ "equals", "a=b", "1:a=b " },
	{ "colon", "a:b", "1:a=b " },
	{ "blank", "a b", "1:a=b " },
	{ "tab", "a\tb", "1:a=b " },
	{ "blanks around", "  a \t = \f b", "1:a=b " },
	{ "only the first separator", "a=b=c:d", "1:a=b=c:d " },
	{ "separator after a blank", "a =: b", "1:a=: b " },
	{ "no value", "a=\nb", "1:a= 2:b= " },
	{ "no key", "=b", "1:=b " },
	{ "blanks at the end stay", "a=b  ", "1:a=b   " },
	{ "comments", "# a=b\n! c=d\n  # e=f\ng=h # i", "4:g=h # i " },
	{ "empty lines", "\n  \n\t\na=b\n\n", "4:a=b " },
	{ "a comment is not continued", "# a \\\nb=c", "2:b=c " },
	{ "line ends", "a=1\r\nb=2\rc=3\n", "1:a=1 2:b=2 3:c=3 " },
	{ "continued", "a=b,\\\n   c,\\\r\n\td\ne=f", "1:a=b,c,d 4:e=f " },
	{ "continued key", "a\\\nb=c", "1:ab=c " },
	{ "continued into an empty line", "a=b\\\n\nc=d", "1:a=b 3:c=d " },
	{ "continued at the end", "a=b\\", "1:a=b " },
	{ "a lone backslash", "\\", "" },
	{ "backslashes in pairs", "a=b\\\\\nc=d", "1:a=b\\ 2:c=d " },
	{ "escaped separators", "a\\=b\\:c\\ d=e", "1:a=b:c d=e " },
	{ "escapes", "a=\\t\\n\\r\\f\\\\\\q", "1:a=\t\n\r\f\\q " },
	{ "escaped comment sign", "\\#a=b", "1:#a=b " },
	{ "one byte", "a=\\u0041", "1:a=A " },
	{ "two bytes", "a=\\u00e9", "1:a=\xc3\xa9 " },
	{ "three bytes", "a=\\u20AC", "1:a=\xe2\x82\xac " },
	{ "a surrogate pair", "a=\\ud83d\\ude00", "1:a=\xf0\x9f\x98\x80 " },
	{ "UTF-8 as it is", "a=\xc3\xa9", "1:a=\xc3\xa9 " },
	{ "escaped UTF-8", "a=\\\xc3\xa9", "1:a=\xc3\xa9 " },
	{ "half a pair", "a=\\ud83d\nb=c", "1! 2:b=c " },
	{ "the pair's second half", "a=\\ude00", "1! " },
	{ "two first halves", "a=\\ud83d\\ud83d", "1! " },
	{ "too few digits", "a=\\u12", "1! " },
	{ "no digits", "a=\\u", "1! " },
	{ "digits past the key", "\\u00=41", "1! " },
	{ "not a digit", "a=\\u00g0", "1! " },
	{ "the character NUL", "a=\\u0000", "1! " },
	{ "nothing", "", "" },
};

static void properties_are_parsed(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		_cleanup_(buffer_destroy) struct buffer read = BUFFER_INIT(1024);
		struct properties_handler handler = { .context = &read,
						      .entry = take_entry,
						      .problem = take_problem };

		properties_parse(files[i].text, &handler);
		if (strcmp(read.data ? read.data : "", files[i].read) != 0)
			fail_msg("%s: read \"%s\"", files[i].name, read.data ? read.data : "");
	}
}

int main(void) {
	const struct CMUnitTest tests[] = { cmocka_unit_test(properties_are_parsed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
