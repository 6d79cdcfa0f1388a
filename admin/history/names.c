#include "history/names.h"

#include "base/hash.h"

enum { NAMES_MAX = 10000 };

struct name {
	UT_hash_handle hh;
	int64_t number;
	int32_t partition; /* of a tenant; -1: of a word */
	char text[];
};

static void drop_all(struct name **set) {
	struct name *name, *next;

	HASH_ITER(hh, *set, name, next) {
		HASH_DEL(*set, name);
		free(name);
	}
}

void names_forget(struct names *names) {
	drop_all(&names->tenants);
	drop_all(&names->words);
}

static void remember(struct name **set, const char *text, int32_t partition, int64_t number) {
	struct name *name;

	if (HASH_COUNT(*set) >= NAMES_MAX)
		drop_all(set);
	HASH_FIND_STR(*set, text, name);
	if (!name) {
		name = x_calloc(1, sizeof(*name) + strlen(text) + 1);
		strcpy(name->text, text);
		HASH_ADD_STR(*set, text, name);
	}
	name->number = number;
	name->partition = partition;
}

static bool is_remembered(struct name *set, const char *text, int32_t partition, int64_t *out) {
	struct name *name;

	HASH_FIND_STR(set, text, name);
	if (!name || name->partition != partition)
		return false;
	*out = name->number;
	return true;
}

/* Runs a statement that has the number in its row, if it has one. Returns 1 with it, 0 or -EIO. */
static int ask(struct history *history, enum write_statement statement, const char *text,
	       int32_t partition, int64_t *out) {
	_cleanup_(statement_resetp) sqlite3_stmt *read = history_statement(history, statement);
	int r;

	bind_text(read, 1, text);
	if (partition >= 0)
		bind_int(read, 2, partition);
	r = history_step(history, read);
	if (r == 1)
		*out = sqlite3_column_int64(read, 0);
	return r;
}

int names_tenant(struct history *history, const char *tenant_id, int32_t partition, int64_t *out) {
	int r;

	if (is_remembered(history->names.tenants, tenant_id, partition, out))
		return 0;
	r = ask(history, WRITE_TENANT_GET, tenant_id, partition, out);
	if (!r)
		r = ask(history, WRITE_TENANT_PUT, tenant_id, partition, out);
	if (r < 0)
		return r;
	remember(&history->names.tenants, tenant_id, partition, *out);
	return 0;
}

int names_word(struct history *history, const char *word, int64_t *out) {
	int r;

	*out = 0;
	if (!word || is_remembered(history->names.words, word, -1, out))
		return 0;
	r = ask(history, WRITE_WORD_GET, word, -1, out);
	if (!r)
		r = ask(history, WRITE_WORD_PUT, word, -1, out);
	if (r < 0)
		return r;
	remember(&history->names.words, word, -1, *out);
	return 0;
}
