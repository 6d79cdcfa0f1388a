#include "trace/pair_list.h"

#include "base/utf8.h"

#include <curl/curl.h>

static char *trim(char *text) {
	char *end;

	text += strspn(text, " \t");
	end = text + strlen(text);
	while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return text;
}

/* NULL: it is not UTF-8. */
static char *decode(const char *text) {
	int len = 0;
	char *raw = x_checked(curl_easy_unescape(NULL, text, 0, &len));
	char *decoded = utf8_is_text(raw, (size_t)len) ? x_strdup(raw) : NULL;

	curl_free(raw);
	return decoded;
}

static int read_pair(char *pair, pair_list_take take, void *userdata) {
	char *equals = strchr(pair, '=');
	_cleanup_(x_freep) char *key = NULL, *value = NULL;

	if (!equals)
		return PAIR_LIST_E_REFUSED;
	*equals = '\0';
	key = decode(trim(pair));
	value = decode(trim(equals + 1));
	return key && *key && value ? take(userdata, key, value) : PAIR_LIST_E_REFUSED;
}

int pair_list_read(const char *list, pair_list_take take, void *userdata) {
	_cleanup_(x_freep) char *copy = list ? x_strdup(list) : NULL;
	char *rest = copy, *pair;
	int r = 0;

	while (r == 0 && (pair = strsep(&rest, ",")))
		if (*(pair = trim(pair)))
			r = read_pair(pair, take, userdata);
	return r;
}
