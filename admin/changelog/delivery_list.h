/* A tenant's deliveries from the changelog, filtered and in order. */
#pragma once

#include "avro/codec.h"
#include "changelog/state_read.h"

/* The deliveries to list. */
struct delivery_filter {
	const char *tenant_id;
	const struct uuid *webhook_id; /* NULL: any */
	bool has_status;
	enum delivery_status status;
	bool with_body; /* else bodies are dropped at once: they are most of a backlog */
};

struct delivery_list;

/* Borrows the codec, and copies the filter. */
struct delivery_list *delivery_list_new(const struct delivery_filter *filter, struct codec *codec);
void delivery_list_free(struct delivery_list *list);
DEFINE_CLEANUP(struct delivery_list, delivery_list_free)

/* A state_wanted_fn: whether the record may be a delivery of this list. A record that cannot be
 * decoded is kept, for delivery_list_sort to report. */
bool delivery_list_wants(void *list, struct record *record);

/* Fills the list from the fold, sorted by time of creation, then id. Prints on stderr which records
 * cannot be read. Call it once; borrows `fold` from then on. */
void delivery_list_sort(struct delivery_list *list, struct state_fold *fold);
size_t delivery_list_count(const struct delivery_list *list);
size_t delivery_list_unreadable(const struct delivery_list *list);
/* The i-th delivery; its text lives until the next call. */
struct delivery delivery_list_get(struct delivery_list *list, size_t i);
