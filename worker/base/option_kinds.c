#include "base/config.h"
#include "base/duration.h"
#include "base/elements.h"
#include "base/number.h"
#include "base/option.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>

static int refuse_text(struct buffer *rule, const char *text) {
	buffer_append_string(rule, text);
	return CONFIG_E_REFUSED;
}

static void clear_string(void *field) {
	char **string = field;

	free(*string);
	*string = NULL;
}

static bool is_one_of(char c, const char *also) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr(also, c));
}

/* --- Numbers --- */

static int set_int64(const struct option *option, const char *text, void *field,
		     struct buffer *rule) {
	int64_t number;

	if (number_parse(text, option->min, option->max, &number) < 0) {
		buffer_printf(rule, "must be a whole number, %" PRId64 " to %" PRId64, option->min,
			      option->max);
		return CONFIG_E_REFUSED;
	}
	*(int64_t *)field = number;
	return 0;
}

static int set_int(const struct option *option, const char *text, void *field,
		   struct buffer *rule) {
	int64_t number;
	int r = set_int64(option, text, &number, rule);

	if (r == 0)
		*(int *)field = (int)number;
	return r;
}

static int set_count_or_broker(const struct option *option, const char *text, void *field,
			       struct buffer *rule) {
	int number;

	if (set_int(option, text, &number, rule) != 0)
		return CONFIG_E_REFUSED;
	if (number == 0)
		return refuse_text(rule, "must not be 0; -1 leaves it to the broker");
	*(int *)field = number;
	return 0;
}

static int set_ratio(const struct option *option, const char *text, void *field,
		     struct buffer *rule) {
	char *end;
	double number = strtod(text, &end);

	/* Written this way round, the condition is also true for not-a-number. */
	if (end == text || *end ||
	    !(number >= (double)option->min && number <= (double)option->max)) {
		buffer_printf(rule, "must be a number, %" PRId64 " to %" PRId64, option->min,
			      option->max);
		return CONFIG_E_REFUSED;
	}
	*(double *)field = number;
	return 0;
}

static int set_bool(const struct option *option _unused_, const char *text, void *field,
		    struct buffer *rule) {
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return refuse_text(rule, "must be true or false");
	*(bool *)field = text[0] == 't';
	return 0;
}

/* --- Durations --- */

static int parse_duration(const struct option *option, const char *text, int64_t *out,
			  struct buffer *rule) {
	char min[DURATION_TEXT_SIZE], max[DURATION_TEXT_SIZE];

	if (duration_parse(text, out) < 0)
		return refuse_text(rule, "must be a duration like 500ms, 5s, 5m, 2h or 5d");
	if (*out >= option->min && *out <= option->max)
		return 0;
	duration_format(option->min, min);
	duration_format(option->max, max);
	buffer_printf(rule, "must be %s to %s", min, max);
	return CONFIG_E_REFUSED;
}

static int set_duration(const struct option *option, const char *text, void *field,
			struct buffer *rule) {
	int64_t duration;
	int r = parse_duration(option, text, &duration, rule);

	if (r == 0)
		*(int64_t *)field = duration;
	return r;
}

enum { RETRIES_MAX = 64, NETWORKS_MAX = 1024, FILES_MAX = 16 };

static void clear_retry_schedule(void *field) {
	struct config *config = CONTAINER_OF(field, struct config, delivery_retry_schedule_ms);

	free(TAKE(config->delivery_retry_schedule_ms));
	config->delivery_retry_count = 0;
}

static int set_retry_schedule(const struct option *option, const char *text, void *field,
			      struct buffer *rule) {
	struct config *config = CONTAINER_OF(field, struct config, delivery_retry_schedule_ms);
	_cleanup_(x_freep) char *copy = x_strdup(text);
	_cleanup_(x_freep) int64_t *items = NULL;
	size_t count = elements_count(text), i = 0;
	char *rest = copy;

	if (count > RETRIES_MAX)
		return refuse_text(rule, "must have 1 to 64 durations");
	items = x_calloc(count, sizeof(*items));
	for (char *element; (element = elements_next(&rest)); i++) {
		if (parse_duration(option, element, &items[i], rule) != 0)
			return CONFIG_E_REFUSED;
	}
	clear_retry_schedule(field);
	config->delivery_retry_schedule_ms = TAKE(items);
	config->delivery_retry_count = count;
	return 0;
}

/* --- Text --- */

static void replace_string(void *field, char *value) {
	clear_string(field);
	*(char **)field = value;
}

static int check_length(const struct option *option, const char *text, struct buffer *rule) {
	size_t len = strlen(text);

	if (len >= (size_t)option->min && len <= (size_t)option->max)
		return 0;
	buffer_printf(rule, "must be %" PRId64 " to %" PRId64 " bytes long", option->min,
		      option->max);
	return CONFIG_E_REFUSED;
}

/* An empty text unsets the option, where the table allows that. */
static int set_text(const struct option *option, const char *text, void *field,
		    struct buffer *rule) {
	if (check_length(option, text, rule) != 0)
		return CONFIG_E_REFUSED;
	replace_string(field, *text ? x_strdup(text) : NULL);
	return 0;
}

static void clear_files(void *field) {
	struct file_list *list = field;

	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct file_list){ 0 };
}

static int set_files(const struct option *option, const char *text, void *field,
		     struct buffer *rule) {
	_cleanup_(x_freep) char *copy = x_strdup(text);
	size_t count = elements_count(text);
	struct file_list *list = field;
	char *rest = copy;

	if (count > FILES_MAX)
		return refuse_text(rule, "must have 1 to 16 files");
	clear_files(list);
	list->items = x_calloc(count, sizeof(*list->items));
	for (char *element; (element = elements_next(&rest));) {
		if (!*element)
			return refuse_text(rule, "must be files with commas between, none empty");
		if (check_length(option, element, rule) != 0)
			return CONFIG_E_REFUSED;
		list->items[list->count++] = x_strdup(element);
	}
	return 0;
}

/*
 * A part of a topic's name, a transactional.id or a group.instance.id: only the characters that
 * Kafka allows in topics. Unlike a text it is never NULL. Source: Kafka 4.1,
 * org.apache.kafka.common.internals.Topic.LEGAL_CHARS.
 */
static int set_name(const struct option *option, const char *text, void *field,
		    struct buffer *rule) {
	if (check_length(option, text, rule) != 0)
		return CONFIG_E_REFUSED;
	for (const char *p = text; *p; p++) {
		if (!is_one_of(*p, "._-"))
			return refuse_text(rule,
					   "must consist of letters, digits, '.', '_' and '-'");
	}
	replace_string(field, x_strdup(text));
	return 0;
}

/* A problem never repeats the value, which may contain a password. */
static int check_url(const char *url, struct buffer *rule) {
	const char *host = strncmp(url, "https://", 8) == 0  ? url + 8
			   : strncmp(url, "http://", 7) == 0 ? url + 7
							     : NULL;

	if (!host || !is_one_of(*host, "[") || strpbrk(url, " \t#?"))
		return refuse_text(rule, "must be an http or https URL");
	if (memchr(host, '@', strcspn(host, "/")))
		return refuse_text(rule, "must have no user: schema.registry.basic.auth.file has");
	return 0;
}

static int set_urls(const struct option *option, const char *text, void *field,
		    struct buffer *rule) {
	_cleanup_(x_freep) char *copy = x_strdup(text);
	char *rest = *text ? copy : NULL;

	for (char *url; (url = elements_next(&rest));)
		if (check_url(url, rule))
			return CONFIG_E_REFUSED;
	return set_text(option, text, field, rule);
}

/* --- Addresses --- */

static void clear_listen(void *field) {
	free(TAKE(((struct listen_address *)field)->host));
}

static bool is_host(const char *host, bool bracketed) {
	struct in6_addr ipv6;

	if (bracketed)
		return inet_pton(AF_INET6, host, &ipv6) == 1;
	for (const char *p = host; *p; p++) {
		if (!is_one_of(*p, ".-"))
			return false;
	}
	return *host;
}

static int set_listen(const struct option *option _unused_, const char *text, void *field,
		      struct buffer *rule) {
	bool bracketed = text[0] == '[';
	const char *colon = strrchr(text, ':'), *end = bracketed ? strchr(text, ']') : colon;
	_cleanup_(x_freep) char *host = NULL;
	struct listen_address *address = field;
	int64_t port;

	if (end)
		host = x_strndup(text + bracketed, (size_t)(end - text - bracketed));
	if (!host || !is_host(host, bracketed) || colon != end + bracketed || colon[1] == '-' ||
	    number_parse(colon + 1, 0, UINT16_MAX, &port) < 0)
		return refuse_text(rule, "must be host:port or [IPv6]:port, like 127.0.0.1:9464");
	clear_listen(field);
	*address = (struct listen_address){ .host = TAKE(host), .port = (uint16_t)port };
	return 0;
}

static void clear_networks(void *field) {
	struct network_list *list = field;

	free(TAKE(list->items));
	list->count = 0;
}

static int set_networks(const struct option *option _unused_, const char *text, void *field,
			struct buffer *rule) {
	_cleanup_(x_freep) char *copy = x_strdup(text);
	_cleanup_(x_freep) struct network *items = NULL;
	size_t count = *text ? elements_count(text) : 0, i = 0;
	char *rest = count ? copy : NULL;

	if (count > NETWORKS_MAX)
		return refuse_text(rule, "must have at most 1024 networks");
	items = x_calloc(count, sizeof(*items));
	for (char *element; (element = elements_next(&rest)); i++) {
		int r = network_parse(element, &items[i]);

		if (r == -EDOM)
			return refuse_text(rule, "has a network with bits outside its prefix");
		if (r < 0)
			return refuse_text(rule, "must be networks like 10.0.0.0/8,fd00::/8");
	}
	clear_networks(field);
	*(struct network_list *)field =
	    (struct network_list){ .items = TAKE(items), .count = count };
	return 0;
}

/* --- Enumerations --- */

static int find_name(const char *const *names, size_t count, const char *text) {
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], text) == 0)
			return (int)i;
	}
	return -ENOENT;
}

static int set_signature_formats(const struct option *option _unused_, const char *text,
				 void *field, struct buffer *rule) {
	static const char *const names[] = { "rfc9421", "standard-webhooks" };
	_cleanup_(x_freep) char *copy = x_strdup(text);
	unsigned formats = 0;
	char *rest = copy;

	for (char *element; (element = elements_next(&rest));) {
		int format = find_name(names, ARRAY_LEN(names), element);

		if (format < 0)
			return refuse_text(rule,
					   "must be one or both of rfc9421,standard-webhooks");
		formats |= 1U << format;
	}
	*(unsigned *)field = formats;
	return 0;
}

static int set_log_level(const struct option *option _unused_, const char *text, void *field,
			 struct buffer *rule) {
	static const char *const names[] = { "debug", "info", "warn", "error" };
	int level = find_name(names, ARRAY_LEN(names), text);

	if (level < 0)
		return refuse_text(rule, "must be debug, info, warn or error");
	*(enum log_level *)field = (enum log_level)level;
	return 0;
}

static int set_log_format(const struct option *option _unused_, const char *text, void *field,
			  struct buffer *rule) {
	static const char *const names[] = { "logfmt", "json" };
	int format = find_name(names, ARRAY_LEN(names), text);

	if (format < 0)
		return refuse_text(rule, "must be logfmt or json");
	*(enum log_format *)field = (enum log_format)format;
	return 0;
}

static int set_results_framing(const struct option *option _unused_, const char *text, void *field,
			       struct buffer *rule) {
	static const char *const names[] = { "single-object", "confluent", "json" };
	int framing = find_name(names, ARRAY_LEN(names), text);

	if (framing < 0)
		return refuse_text(rule, "must be single-object, confluent or json");
	*(enum results_framing *)field = (enum results_framing)framing;
	return 0;
}

static int set_canonical_form(const struct option *option _unused_, const char *text, void *field,
			      struct buffer *rule) {
	static const char *const names[CANONICAL_FORM_COUNT] = {
		[CANONICAL_SPECIFICATION] = "specification",
		[CANONICAL_TYPE_OBJECTS] = "type-objects",
		[CANONICAL_LOGICAL_TYPES] = "logical-types",
	};
	int form = find_name(names, ARRAY_LEN(names), text);

	if (form < 0)
		return refuse_text(rule, "must be specification, type-objects or logical-types");
	*(enum canonical_form *)field = (enum canonical_form)form;
	return 0;
}

const struct option_kind option_int = { .set = set_int };
const struct option_kind option_count_or_broker = { .set = set_count_or_broker };
const struct option_kind option_size = { .set = set_int64 };
const struct option_kind option_duration = { .set = set_duration };
const struct option_kind option_retry_schedule = { .set = set_retry_schedule,
						   .clear = clear_retry_schedule };
const struct option_kind option_ratio = { .set = set_ratio };
const struct option_kind option_bool = { .set = set_bool };
const struct option_kind option_text = { .set = set_text, .clear = clear_string };
const struct option_kind option_files = { .set = set_files, .clear = clear_files };
const struct option_kind option_name = { .set = set_name, .clear = clear_string };
const struct option_kind option_urls = { .set = set_urls, .clear = clear_string };
const struct option_kind option_listen = { .set = set_listen, .clear = clear_listen };
const struct option_kind option_networks = { .set = set_networks, .clear = clear_networks };
const struct option_kind option_signature_formats = { .set = set_signature_formats };
const struct option_kind option_log_level = { .set = set_log_level };
const struct option_kind option_log_format = { .set = set_log_format };
const struct option_kind option_results_framing = { .set = set_results_framing };
const struct option_kind option_canonical_form = { .set = set_canonical_form };
