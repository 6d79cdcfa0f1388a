/* Java-style properties, as in Kafka's own configuration files. Source:
 * java.util.Properties.load(Reader), Java SE 17; read as UTF-8. */
#pragma once

struct properties_handler {
	void *context;
	/* One property, in the order of the file; `line` is its first line. */
	void (*entry)(void *context, unsigned line, const char *key, const char *value);
	/* A line that breaks `rule`; parsing continues with the next. */
	void (*problem)(void *context, unsigned line, const char *rule);
};

/* Parses `text`, which is UTF-8. */
void properties_parse(const char *text, const struct properties_handler *handler);
