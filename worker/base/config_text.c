#include "base/config_text.h"

#include "base/manual.h"
#include "base/option.h"

void config_describe(struct buffer *out) {
	for (size_t i = 0; i < option_count; i++)
		buffer_printf(out, "  %s (%s)\n        %s\n", options[i].key,
			      option_default(&options[i]), options[i].help);
}

void config_list(struct buffer *out) {
	for (size_t i = 0; i < option_count; i++)
		buffer_printf(out, "%s\t%s\t%s\n", options[i].key, option_default(&options[i]),
			      options[i].help);
}

void config_append_manual(struct buffer *out) {
	for (size_t i = 0; i < option_count; i++) {
		_cleanup_(x_freep) char *value = x_asprintf("(%s)", option_default(&options[i]));

		manual_item(out, options[i].key, value, options[i].help);
	}
}
