#include "base/config_load.h"

#include "base/config_file.h"
#include "base/config_together.h"
#include "base/cpus.h"
#include "base/option.h"
#include "base/properties.h"
#include "base/secret_file.h"
#include "base/utf8.h"

#include <ctype.h>
#include <limits.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 1 << 20, KEY_MAX = 256, WORD_MAX = 24, RULE_MAX = 1024 };

#define KEY_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789._"

/* One load of all sources: the configuration so far, and the problems found. */
struct loader {
	struct config *config;
	struct buffer *problems;
	const struct config_kafka_rules *kafka_rules; /* NULL: none */
	const char *source; /* of the current value: "posthorn.properties:12", "POSTHORN_LOG_LEVEL",
			       "--set" */
	bool from_environment; /* the current value; an unknown variable may be another program's */
	bool took_secret; /* the current file has a password or another secret among its values */
	bool refused, kafka_refused;
};

/* The rule may quote the value, as a file's name. */
static void refuse_setting(struct loader *loader, const char *key, const char *rule) {
	buffer_printf(loader->problems, "%s: %s: ", loader->source, key);
	buffer_append_visible(loader->problems, rule);
	buffer_append_char(loader->problems, '\n');
	loader->refused = true;
}

/* A key comes from outside and is quoted in a message. A long word without a dot is not shown:
 * it may be a line of a private key whose value was meant to continue the line before. */
static char *printable(const char *key) {
	char *copy = strlen(key) > WORD_MAX && !strchr(key, '.')
			 ? x_asprintf("(%zu-characters)", strlen(key))
			 : x_strndup(key, KEY_MAX);

	for (char *p = copy; *p; p++) {
		if (!isgraph((unsigned char)*p))
			*p = '?';
	}
	return copy;
}

/* --- One value --- */

static void refuse_unknown(struct loader *loader, const char *key) {
	_cleanup_(x_freep) char *shown = printable(key), *rule = NULL;
	const char *suggestion = option_suggest(key);

	rule = suggestion ? x_asprintf("unknown key; did you mean %s?", suggestion)
			  : x_strdup("unknown key");
	refuse_setting(loader, shown, rule);
}

/* As Kafka's own configuration reader does, blanks around a value are removed. */
static char *trimmed(const char *value) {
	size_t len;

	value += strspn(value, " \t\r\n");
	len = strlen(value);
	while (len && isspace((unsigned char)value[len - 1]))
		len--;
	return x_strndup(value, len);
}

/* It may be a proxy's address with its password. */
static void wipe_text(char *text) {
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void set_option(struct loader *loader, const struct option *option, const char *value) {
	_cleanup_(buffer_destroy) struct buffer rule = BUFFER_INIT(1024);
	_cleanup_(x_freep) char *text = trimmed(value);
	int r = option->kind->set(option, text, (char *)loader->config + option->field, &rule);

	loader->took_secret |=
	    option->kind == &option_proxy && loader->config->endpoint_proxy.password;
	if (r) {
		refuse_setting(loader, option->key, rule.data);
		return;
	}
	wipe_text(loader->config->texts[option - options]);
	loader->config->texts[option - options] = TAKE(text);
}

/* A password keeps the blanks around it. */
static void set_kafka(struct loader *loader, const char *key, const char *value) {
	const char *name = key + strlen("kafka.");
	_cleanup_(buffer_destroy) struct buffer rule = BUFFER_INIT(PATH_MAX + 1024);
	_cleanup_(x_freep) char *text =
				    config_kafka_is_secret(name) ? x_strdup(value) : trimmed(value),
				*shown = printable(key);
	int r;

	loader->took_secret |= config_kafka_is_secret(name) && *text;
	r = config_kafka_set(loader->config, loader->kafka_rules, name, text, &rule);

	if (r == CONFIG_E_UNKNOWN && loader->from_environment) {
		log_warn("unknown environment variable", "name=%s", log_quote(loader->source));
	} else if (r != 0) {
		refuse_setting(loader, shown, rule.data);
		loader->kafka_refused = true;
	}
}

static void set_value(struct loader *loader, const char *key, const char *value) {
	const struct option *option = option_find(key);

	if (!utf8_is_text(value, strlen(value))) {
		_cleanup_(x_freep) char *shown = printable(key);

		refuse_setting(loader, shown, "must be UTF-8 text");
	} else if (option) {
		set_option(loader, option, value);
	} else if (strncmp(key, "kafka.", 6) == 0) {
		set_kafka(loader, key, value);
	} else {
		refuse_unknown(loader, key);
	}
}

static void set_defaults(struct loader *loader) {
	loader->source = "default";
	for (size_t i = 0; i < option_count; i++) {
		if (options[i].value)
			set_option(loader, &options[i], options[i].value);
	}
}

/* --- The file --- */

struct file_reader {
	struct loader *loader;
	const char *path;
};

static void take_file_entry(void *context, unsigned line, const char *key, const char *value) {
	struct file_reader *reader = context;
	_cleanup_(x_freep) char *source = x_asprintf("%s:%u", reader->path, line);

	reader->loader->source = source;
	set_value(reader->loader, key, value);
	reader->loader->source = reader->path;
}

static void take_file_problem(void *context, unsigned line, const char *rule) {
	struct file_reader *reader = context;

	buffer_printf(reader->loader->problems, "%s:%u: %s\n", reader->path, line, rule);
	reader->loader->refused = true;
}

/* A file that holds a secret must not be readable by others either. */
static void check_secret_file(struct loader *loader, const struct stat *file) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024), rule = BUFFER_INIT(1024);

	if (!loader->took_secret || !S_ISREG(file->st_mode) || secret_file_judge(file, &why) == 0)
		return;
	buffer_printf(&rule, "%s; it holds a password or a key", why.data);
	refuse_setting(loader, "file", rule.data);
}

static void load_file(struct loader *loader, const char *path) {
	_cleanup_(buffer_destroy) struct buffer text = BUFFER_INIT(FILE_BYTES_MAX);
	struct file_reader reader = { .loader = loader, .path = path };
	struct properties_handler handler = { .context = &reader,
					      .entry = take_file_entry,
					      .problem = take_file_problem };
	const char *unsafe = NULL;
	struct stat stat = { 0 };
	int r = config_file_read(path, &stat, &text);

	loader->source = path;
	if (r == 0)
		unsafe = config_file_find_unsafe(&stat);
	if (r < 0)
		refuse_setting(loader, "file", strerror(-r));
	else if (unsafe)
		refuse_setting(loader, "file", unsafe);
	else if (text.len && !utf8_is_text(text.data, text.len))
		refuse_setting(loader, "file", "must be UTF-8 text");
	else if (text.len)
		properties_parse(text.data, &handler);
	loader->source = path;
	check_secret_file(loader, &stat);
}

/* --- Environment and settings --- */

/* POSTHORN_LOG_LEVEL becomes log.level: no key has an underscore or a capital. */
static char *key_of_variable(const char *name) {
	char *key = x_strdup(name);

	for (char *p = key; *p; p++)
		*p = *p == '_' ? '.' : (char)tolower((unsigned char)*p);
	return key;
}

static void load_variable(struct loader *loader, const char *variable) {
	const char *equals = strchr(variable, '=');
	_cleanup_(x_freep) char *name = NULL, *key = NULL;

	if (strncmp(variable, "POSTHORN_", 9) != 0 || !equals)
		return;
	name = x_strndup(variable, (size_t)(equals - variable));
	key = key_of_variable(name + 9);
	if (!option_find(key) && strncmp(key, "kafka.", 6) != 0) {
		log_warn("unknown environment variable", "name=%s", log_quote(name));
		return;
	}
	loader->source = name;
	loader->from_environment = true;
	set_value(loader, key, equals + 1);
	loader->from_environment = false;
}

static void load_setting(struct loader *loader, const char *setting) {
	const char *equals = strchr(setting, '=');
	_cleanup_(x_freep) char *key = NULL;

	loader->source = "--set";
	if (!equals) {
		/* The text after the key may be a value, and so a secret. */
		_cleanup_(x_freep) char *begin =
					    x_strndup(setting, strspn(setting, KEY_CHARACTERS)),
					*shown = printable(begin);

		refuse_setting(loader, shown, "must be key=value");
		return;
	}
	key = x_strndup(setting, (size_t)(equals - setting));
	set_value(loader, key, equals + 1);
}

/* --- Defaults that depend on the machine, and required keys --- */

static void set_machine_defaults(struct loader *loader) {
	struct config *config = loader->config;
	char host[HOST_NAME_MAX + 1] = { 0 };

	loader->source = "default";
	if (config->delivery_threads == 0)
		config->delivery_threads = MIN(cpus_available(), (int)DELIVERY_THREADS_MAX);
	if (config->worker_id)
		return;
	if (gethostname(host, sizeof(host) - 1) < 0)
		refuse_setting(loader, "worker.id", "the host has no name; set it");
	else
		set_option(loader, option_find("worker.id"), host);
}

static void check_needs(struct loader *loader, unsigned needs) {
	const struct config *config = loader->config;

	loader->source = "configuration";
	if (needs & CONFIG_NEED_KAFKA && !config_kafka_get(config, "bootstrap.servers"))
		refuse_setting(loader, "kafka.bootstrap.servers", "is required");
	if (needs & CONFIG_NEED_MASTER_KEY && config->worker_master_key_files.count == 0)
		refuse_setting(loader, "worker.master.key.file", "is required");
	if (needs & CONFIG_NEED_GATEWAY && !config->gateway_tokens_file)
		refuse_setting(loader, "gateway.tokens.file", "is required");
}

/* A missing tokens file is fine: `token create` makes it. The gateway itself reports one that
 * cannot be opened. */
static void check_tokens_file(struct loader *loader) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(RULE_MAX);
	const char *path = loader->config->gateway_tokens_file;
	int fd = -1;

	if (!path)
		return;
	if (secret_file_open(path, &fd, &why) == SECRET_FILE_E_REFUSED) {
		_cleanup_(x_freep) char *rule = x_asprintf("%s %s", path, why.data);

		refuse_setting(loader, "gateway.tokens.file", rule);
	}
	if (fd >= 0)
		close(fd);
}

static void report_together(void *userdata, const char *key, const char *rule) {
	refuse_setting(userdata, key, rule);
}

/* Judged only for a program that uses Kafka: the file may serve other programs too. */
static void check_kafka_together(struct loader *loader, unsigned needs) {
	loader->source = "configuration";
	if (loader->kafka_rules && needs & CONFIG_NEED_KAFKA && !loader->kafka_refused)
		loader->kafka_rules->judge_together(loader->config, report_together, loader);
}

int config_load(const struct config_source *source, struct config **out, struct buffer *problems) {
	_cleanup_(config_freep) struct config *config = x_calloc(1, sizeof(*config));
	struct loader loader = { .config = config,
				 .problems = problems,
				 .kafka_rules = source->kafka_rules };

	config->texts = x_calloc(option_count, sizeof(*config->texts));
	set_defaults(&loader);
	if (source->file)
		load_file(&loader, source->file);
	for (char *const *variable = source->environment; variable && *variable; variable++)
		load_variable(&loader, *variable);
	for (size_t i = 0; i < source->setting_count; i++)
		load_setting(&loader, source->settings[i]);
	set_machine_defaults(&loader);
	check_needs(&loader, source->needs);
	check_kafka_together(&loader, source->needs);
	loader.source = "configuration";
	config_judge_together(config, report_together, &loader);
	if (source->needs & CONFIG_NEED_GATEWAY)
		check_tokens_file(&loader);
	if (loader.refused)
		return CONFIG_E_REFUSED;
	*out = TAKE(config);
	return 0;
}

void config_free(struct config *config) {
	if (!config)
		return;
	for (size_t i = 0; i < option_count; i++) {
		if (options[i].kind && options[i].kind->clear)
			options[i].kind->clear((char *)config + options[i].field);
		wipe_text(config->texts[i]);
	}
	free(config->texts);
	for (size_t i = 0; i < config->kafka_count; i++) {
		free(config->kafka[i].name);
		free(config->kafka[i].value);
	}
	free(config->kafka);
	free(config);
}
