#include "domain/state.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/invariant.h"
#include "base/utf8.h"

static const char *const kind_names[STATE_KIND_COUNT] = {
	[STATE_WEBHOOK] = "webhook", [STATE_SIGNING_KEY] = "key",   [STATE_DELIVERY] = "delivery",
	[STATE_RECEIPT] = "receipt", [STATE_POSITION] = "position",
};

struct state_key state_record_key(const struct state_record *record) {
	struct state_key key = { .kind = record->kind };

	switch (record->kind) {
	case STATE_WEBHOOK:
		key.tenant_id = record->webhook.tenant_id;
		key.id = record->webhook.id;
		return key;
	case STATE_SIGNING_KEY:
		key.tenant_id = record->signing_key.tenant_id;
		key.name = record->signing_key.kid;
		return key;
	case STATE_DELIVERY:
		key.id = record->delivery.id;
		return key;
	case STATE_RECEIPT:
		key.tenant_id = record->receipt.tenant_id;
		key.name = record->receipt.command_id;
		return key;
	case STATE_POSITION:
		return key;
	case STATE_KIND_COUNT:
		break;
	}
	impossible("a key has a kind");
}

/* Escapes "%" and "/", which have a meaning in a key; everything else stays readable. Returns
 * the end. */
static char *escape(char *out, const char *text) {
	for (const char *s = text; *s; s++) {
		if (*s == '%')
			out = stpcpy(out, "%25");
		else if (*s == '/')
			out = stpcpy(out, "%2F");
		else
			*out++ = *s;
	}
	*out = '\0';
	return out;
}

static size_t escaped_len(const char *text) {
	size_t len = 0;

	for (const char *s = text; *s; s++)
		len += *s == '%' || *s == '/' ? 3 : 1;
	return len;
}

/* Formats "kind/tenant/name". Hand-written, because every change needs it. */
static char *format_named(struct arena *arena, const char *kind, const char *tenant_id,
			  const char *name) {
	char *text = arena_alloc(arena, strlen(kind) + escaped_len(tenant_id) + escaped_len(name) +
					    sizeof("//"));
	char *p = stpcpy(text, kind);

	*p++ = '/';
	p = escape(p, tenant_id);
	*p++ = '/';
	escape(p, name);
	return text;
}

static char *format_delivery(struct arena *arena, const struct uuid *id) {
	size_t kind_len = strlen(kind_names[STATE_DELIVERY]);
	char *text = arena_alloc(arena, kind_len + 1 + UUID_TEXT_SIZE);

	memcpy(text, kind_names[STATE_DELIVERY], kind_len);
	text[kind_len] = '/';
	uuid_format(id, text + kind_len + 1);
	return text;
}

char *state_key_format(struct arena *arena, const struct state_key *key) {
	const char *kind = kind_names[key->kind];
	char id[UUID_TEXT_SIZE];

	switch (key->kind) {
	case STATE_WEBHOOK:
		uuid_format(&key->id, id);
		return format_named(arena, kind, key->tenant_id, id);
	case STATE_SIGNING_KEY:
	case STATE_RECEIPT:
		return format_named(arena, kind, key->tenant_id, key->name);
	case STATE_DELIVERY:
		return format_delivery(arena, &key->id);
	case STATE_POSITION:
		return arena_strdup(arena, kind);
	case STATE_KIND_COUNT:
		break;
	}
	impossible("a key has a kind");
}

/* Undoes escape() in place. Returns false for any other escape: a key has one form. */
static bool unescape(char *text) {
	char *out = text;

	for (const char *p = text; *p; p++) {
		if (*p != '%') {
			*out++ = *p;
			continue;
		}
		if (strncmp(p, "%25", 3) != 0 && strncmp(p, "%2F", 3) != 0)
			return false;
		*out++ = p[2] == '5' ? '%' : '/';
		p += 2;
	}
	*out = '\0';
	return out != text;
}

/* Lower case only, for the reason in unescape. */
static bool parse_id(const char *text, struct uuid *out) {
	return !text[strcspn(text, "ABCDEF")] && uuid_parse(text, out) == 0;
}

static bool kind_parse(const char *name, enum state_kind *out) {
	for (int kind = 0; kind < STATE_KIND_COUNT; kind++) {
		if (strcmp(kind_names[kind], name) == 0) {
			*out = (enum state_kind)kind;
			return true;
		}
	}
	return false;
}

/* Cuts `text` at its slashes. Returns the number of parts, or `max` + 1 where there are more. */
static size_t split(char *text, char **parts, size_t max) {
	size_t count = 0;
	char *part;

	while ((part = strsep(&text, "/"))) {
		if (count == max)
			return max + 1;
		parts[count++] = part;
	}
	return count;
}

static bool parse_parts(char **parts, size_t count, struct state_key *out) {
	switch (out->kind) {
	case STATE_WEBHOOK:
		out->tenant_id = parts[1];
		return count == 3 && unescape(parts[1]) && parse_id(parts[2], &out->id);
	case STATE_SIGNING_KEY:
	case STATE_RECEIPT:
		out->tenant_id = parts[1];
		out->name = parts[2];
		return count == 3 && unescape(parts[1]) && unescape(parts[2]);
	case STATE_DELIVERY:
		return count == 2 && parse_id(parts[1], &out->id);
	case STATE_POSITION:
		return count == 1;
	case STATE_KIND_COUNT:
		break;
	}
	impossible("a key has a kind");
}

int state_key_parse(struct arena *arena, const char *text, size_t len, struct state_key *out) {
	char *parts[3] = { NULL };
	size_t count;

	*out = (struct state_key){ 0 };
	if (!utf8_is_text(text, len))
		return STATE_KEY_E_REFUSED;
	count = split(arena_strndup(arena, text, len), parts, ARRAY_LEN(parts));
	if (count > ARRAY_LEN(parts) || !kind_parse(parts[0], &out->kind) ||
	    !parse_parts(parts, count, out))
		return STATE_KEY_E_REFUSED;
	return 0;
}
