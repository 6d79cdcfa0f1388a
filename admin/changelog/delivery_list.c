#include "changelog/delivery_list.h"

#include "base/invariant.h"
#include "base/log.h"
#include "terminal/status.h"

enum { VALUE_MAX = 1024 * 1024 };

/* A delivery, as small as possible, since a backlog may be millions: its place in the order, and
 * where its encoded record lies in the fold. */
struct listed {
	int64_t created_at_ms;
	struct uuid id;
	const void *value;
	size_t len;
};

struct delivery_list {
	struct delivery_filter filter;
	struct uuid webhook_id; /* the filter points here */
	struct codec *codec;    /* borrowed */
	struct arena *arena;    /* for one record */
	struct buffer value;    /* the record without its body */
	struct listed *entries; /* owned */
	size_t count, capacity, unreadable;
};

struct delivery_list *delivery_list_new(const struct delivery_filter *filter, struct codec *codec) {
	struct delivery_list *list = x_calloc(1, sizeof(*list));

	*list = (struct delivery_list){ .filter = *filter,
					.codec = codec,
					.arena = arena_new(),
					.value = BUFFER_INIT(VALUE_MAX) };
	if (filter->webhook_id) {
		list->webhook_id = *filter->webhook_id;
		list->filter.webhook_id = &list->webhook_id;
	}
	return list;
}

void delivery_list_free(struct delivery_list *list) {
	if (!list)
		return;
	arena_free(list->arena);
	buffer_destroy(&list->value);
	free(list->entries);
	free(list);
}

/* Returns NULL, or the reason why the value is not a delivery. */
static const char *decode(struct delivery_list *list, const void *value, size_t len,
			  struct state_record *out) {
	const char *why = "it holds no delivery";

	arena_reset(list->arena);
	if (codec_decode_state(list->codec, list->arena, value, len, out, &why) ||
	    out->kind != STATE_DELIVERY)
		return why;
	return NULL;
}

static void keep_without_body(struct delivery_list *list, const struct state_record *state,
			      struct record *record) {
	struct state_record bare = *state;

	bare.delivery.body = "";
	bare.delivery.body_len = 0;
	buffer_clear(&list->value);
	codec_encode_state(list->codec, &bare, &list->value);
	if (list->value.overflowed)
		return; /* the record stays as it is, with its body */
	record->value = list->value.data;
	record->len = list->value.len;
}

bool delivery_list_wants(void *userdata, struct record *record) {
	static const char prefix[] = "delivery/";
	struct delivery_list *list = userdata;
	const struct delivery_filter *filter = &list->filter;
	struct state_record state;

	if (record->key_len < strlen(prefix) || memcmp(record->key, prefix, strlen(prefix)) != 0)
		return false;
	if (decode(list, record->value, record->len, &state))
		return true;
	if (strcmp(state.delivery.tenant_id, filter->tenant_id) != 0 ||
	    (filter->webhook_id &&
	     uuid_compare(&state.delivery.webhook_id, filter->webhook_id) != 0) ||
	    (filter->has_status && state.delivery.status != filter->status))
		return false;
	if (!filter->with_body)
		keep_without_body(list, &state, record);
	return true;
}

static int collect(void *userdata, const char *key, int32_t partition _unused_, const void *value,
		   size_t len) {
	struct delivery_list *list = userdata;
	struct state_record state;
	const char *why = decode(list, value, len, &state);

	if (why) {
		terminal_complain("%s cannot be read: %s", key, why);
		list->unreadable++;
		return 0;
	}
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 64;
		list->entries = x_realloc(list->entries, list->capacity * sizeof(*list->entries));
	}
	list->entries[list->count++] =
	    (struct listed){ state.delivery.created_at_ms, state.delivery.id, value, len };
	return 0;
}

static int by_creation(const void *a, const void *b) {
	const struct listed *x = a, *y = b;
	int order = (x->created_at_ms > y->created_at_ms) - (x->created_at_ms < y->created_at_ms);

	return order ? order : uuid_compare(&x->id, &y->id);
}

void delivery_list_sort(struct delivery_list *list, struct state_fold *fold) {
	state_fold_walk(fold, collect, list);
	if (list->count)
		qsort(list->entries, list->count, sizeof(*list->entries), by_creation);
}

size_t delivery_list_count(const struct delivery_list *list) {
	return list->count;
}

size_t delivery_list_unreadable(const struct delivery_list *list) {
	return list->unreadable;
}

struct delivery delivery_list_get(struct delivery_list *list, size_t i) {
	struct state_record state;
	const char *why;

	invariant(i < list->count, "an entry of the list is asked for");
	why = decode(list, list->entries[i].value, list->entries[i].len, &state);
	invariant_with(!why, "a delivery that was decoded can be decoded again", "error=%s",
		       log_quote(why));
	return state.delivery;
}
