/* A tenant's deliveries out of the changelog: which of them, in which order. */
#pragma once

#include "avro/codec.h"
#include "changelog/state_read.h"

/* What to look for. */
struct delivery_filter {
	const char *tenant_id;
	const struct uuid *webhook_id; /* NULL: any */
	bool has_status;
	enum delivery_status status;
	bool with_body; /* else the bodies are not kept: a backlog is mostly bodies */
};

struct delivery_list;

/* All but the codec is copied or made here. */
struct delivery_list *delivery_list_new(const struct delivery_filter *filter, struct codec *codec);
void delivery_list_free(struct delivery_list *list);
DEFINE_CLEANUP(struct delivery_list, delivery_list_free)

/* A state_wanted_fn of this list: whether the record may be one of its deliveries. What cannot be
 * decoded is kept, and told of below. */
bool delivery_list_wants(void *list, struct record *record);

/* Sorts what was folded by the time of creation, and then id; says on stderr what cannot be read.
 * Once; `fold` is borrowed from then on. */
void delivery_list_sort(struct delivery_list *list, struct state_fold *fold);
size_t delivery_list_count(const struct delivery_list *list);
size_t delivery_list_unreadable(const struct delivery_list *list);
/* The i-th; its text lives until the next call. */
struct delivery delivery_list_get(struct delivery_list *list, size_t i);
