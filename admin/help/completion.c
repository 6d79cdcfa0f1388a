#include "help/completion.h"

#include "base/config_text.h"
#include "domain/analytic_event.h"
#include "domain/event_type.h"
#include "help/catalog.h"

enum { OPTIONS_MAX = 64 * 1024 };

/* The context of the last word, from the words before it. */
struct completion {
	struct buffer *out;
	const struct subcommand *family; /* NULL: not yet named */
	const struct subcommand *row;    /* NULL: likewise */
	size_t operand_count;            /* of the subcommand */
	const struct flag *open;         /* the flag whose value comes next; NULL: none */
	bool only_operands;              /* behind -- */
	bool wrong; /* no such family or subcommand: there is nothing to offer */
};

static void offer(struct completion *completion, const char *word, const char *prefix,
		  const char *candidate, const char *description) {
	_cleanup_(x_freep) char *whole = x_asprintf("%s%s", prefix, candidate);

	if (!strncmp(whole, word, strlen(word)))
		buffer_printf(completion->out, "%s\t%s\n", whole, description);
}

/* Looks in the order of the program. `len` is that of the name. */
static const struct flag *find_flag(const struct completion *completion, const char *name,
				    size_t len) {
	const struct flag *const tables[] = { catalog_common_flags,
					      completion->row ? completion->row->flags : NULL };

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		for (const struct flag *flag = tables[i]; flag && flag->name; flag++) {
			if (strlen(flag->name) == len && !strncmp(flag->name, name, len))
				return flag;
		}
	}
	return NULL;
}

static void take_operand(struct completion *completion, const char *word) {
	if (completion->row) {
		completion->operand_count++;
	} else if (completion->family) {
		completion->row = catalog_find(completion->family, word);
		completion->wrong = !completion->row;
	} else {
		completion->family = catalog_family(word);
		completion->wrong = !completion->family;
		if (completion->family && !completion->family->verb)
			completion->row = completion->family;
	}
}

static void take_word(struct completion *completion, const char *word) {
	size_t len = strcspn(word, "=");
	const struct flag *flag;

	if (completion->open) {
		completion->open = NULL;
	} else if (completion->only_operands || strncmp(word, "--", 2) != 0) {
		take_operand(completion, word);
	} else if (!word[2]) {
		completion->only_operands = true;
	} else {
		flag = find_flag(completion, word + 2, len - 2);
		completion->open = flag && flag->value && !word[len] ? flag : NULL;
	}
}

static void offer_keys(struct completion *completion, const char *word, const char *prefix) {
	_cleanup_(buffer_destroy) struct buffer list = BUFFER_INIT(OPTIONS_MAX);
	char *rest, *line;

	config_list(&list);
	rest = list.data;
	while ((line = strsep(&rest, "\n")) && *line) {
		const char *key = strsep(&line, "\t"), *value = strsep(&line, "\t");
		_cleanup_(x_freep) char *description = x_asprintf("%s (%s)", line, value);
		/* The name of kafka.* goes on; other keys are followed by their value. */
		_cleanup_(x_freep) char *candidate =
		    x_asprintf("%.*s%s", (int)strcspn(key, "*"), key, strchr(key, '*') ? "" : "=");

		offer(completion, word, prefix, candidate, description);
	}
}

static void offer_analytic_types(struct completion *completion, const char *word,
				 const char *prefix) {
	for (int subject = 0; subject < ANALYTIC_SUBJECT_COUNT; subject++) {
		for (int step = 0; step <= ANALYTIC_STEP_NONE; step++) {
			if (analytic_event_type_exists((enum analytic_subject)subject,
						       (enum analytic_step)step))
				offer(completion, word, prefix,
				      analytic_event_type((enum analytic_subject)subject,
							  (enum analytic_step)step),
				      "");
		}
	}
}

/* Completes the last item of a list. */
static void offer_event_types(struct completion *completion, const char *word, const char *prefix) {
	const char *comma = strrchr(word + strlen(prefix), ',');
	_cleanup_(x_freep) char *kept =
	    comma ? x_strndup(word, (size_t)(comma + 1 - word)) : x_strdup(prefix);

	for (int i = 0; i < EVENT_TYPE_BUILTIN_COUNT; i++)
		offer(completion, word, kept, event_type_builtin_name((enum event_type_builtin)i),
		      "");
}

static void offer_choices(struct completion *completion, const char *word, const char *prefix,
			  const char *choices) {
	_cleanup_(x_freep) char *copy = x_strdup(choices);
	char *rest = copy, *choice;

	while ((choice = strsep(&rest, "|")))
		offer(completion, word, prefix, choice, "");
}

/* `prefix` is the part of the word before the value: "--set=", or "". */
static void offer_values(struct completion *completion, const struct flag *flag, const char *word,
			 const char *prefix) {
	if (strchr(flag->value, '|'))
		offer_choices(completion, word, prefix, flag->value);
	else if (!strcmp(flag->value, "FILE"))
		buffer_append_string(completion->out, "@files\n");
	else if (!strcmp(flag->value, "KEY=VALUE"))
		offer_keys(completion, word, prefix);
	else if (!strcmp(flag->value, "PATTERN"))
		offer_analytic_types(completion, word, prefix);
	else if (!strcmp(flag->value, "TYPE[,TYPE]"))
		offer_event_types(completion, word, prefix);
}

static void offer_flags(struct completion *completion, const char *word) {
	const struct flag *const tables[] = { completion->row ? completion->row->flags : NULL,
					      catalog_common_flags };

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		for (const struct flag *flag = tables[i]; flag && flag->name; flag++)
			offer(completion, word, "--", flag->name, flag->help);
	}
}

static void offer_families(struct completion *completion, const char *word) {
	for (const struct subcommand *const *family = catalog_families; *family; family++) {
		_cleanup_(x_freep) char *verbs =
		    x_strdup((*family)->verb ? (*family)->verb : (*family)->summary);

		for (const struct subcommand *row = *family + 1; row->family; row++) {
			char *longer = x_asprintf("%s, %s", verbs, row->verb);

			free(verbs);
			verbs = longer;
		}
		offer(completion, word, "", (*family)->family, verbs);
	}
}

static void offer_verbs(struct completion *completion, const char *word) {
	for (const struct subcommand *row = completion->family; row->family; row++)
		offer(completion, word, "", row->verb, row->summary);
}

static void offer_flag_with_value(struct completion *completion, const char *word) {
	size_t len = strcspn(word, "=");
	const struct flag *flag = find_flag(completion, word + 2, len - 2);
	_cleanup_(x_freep) char *prefix = x_strndup(word, len + 1);

	if (flag && flag->value)
		offer_values(completion, flag, word, prefix);
}

/* Offers no ids, which only the caller knows. */
static void complete(struct completion *completion, const char *word) {
	if (completion->open)
		offer_values(completion, completion->open, word, "");
	else if (!completion->only_operands && !strncmp(word, "--", 2) && strchr(word, '='))
		offer_flag_with_value(completion, word);
	else if (!completion->only_operands && word[0] == '-')
		offer_flags(completion, word);
	else if (!completion->family)
		offer_families(completion, word);
	else if (!completion->row)
		offer_verbs(completion, word);
	else if (completion->operand_count >= completion->row->operand_count && !word[0])
		offer_flags(completion, word);
}

void completion_append(struct buffer *out, const char *const *words, size_t count) {
	struct completion completion = { .out = out };

	for (size_t i = 0; i + 1 < count && !completion.wrong; i++)
		take_word(&completion, words[i]);
	if (!completion.wrong)
		complete(&completion, words[count - 1]);
}
