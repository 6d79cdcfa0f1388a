#include "gateway/token_store.h"

#include "base/log.h"

#include <pthread.h>
#include <stdio.h>

enum { WHY_MAX = 16 * 1024 };

struct token_store {
	char *file;
	pthread_rwlock_t lock;
	struct token_list list; /* sorted; guarded by `lock` */
	struct stat at;         /* of the file that was read or refused; zero: it does not exist */
};

static bool is_same(const struct stat *a, const struct stat *b) {
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mode == b->st_mode && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int read_again(struct token_store *store, struct buffer *why) {
	struct token_list list = { 0 }, old;
	int r = token_file_read(store->file, &list, &store->at, why);

	if (r)
		return r;
	token_list_sort(&list);
	pthread_rwlock_wrlock(&store->lock);
	old = store->list;
	store->list = list;
	pthread_rwlock_unlock(&store->lock);
	token_list_destroy(&old);
	return 0;
}

int token_store_open(const char *file, struct token_store **out, struct buffer *why) {
	_cleanup_(token_store_freep) struct token_store *store = x_calloc(1, sizeof(*store));
	int r;

	store->file = x_strdup(file);
	pthread_rwlock_init(&store->lock, NULL);
	r = read_again(store, why);
	if (!r)
		*out = TAKE(store);
	return r;
}

void token_store_free(struct token_store *store) {
	token_list_destroy(&store->list);
	pthread_rwlock_destroy(&store->lock);
	free(store->file);
	free(store);
}

void token_store_refresh(struct token_store *store) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	struct stat now = { 0 };
	int r;

	if (stat(store->file, &now) < 0)
		now = (struct stat){ 0 };
	if (is_same(&now, &store->at))
		return;
	r = read_again(store, &why);
	if (!r) {
		log_info("tokens read", "tokens=%zu", store->list.count);
		return;
	}
	store->at = now; /* logged once */
	log_error("tokens cannot be read", "error=%s",
		  log_quote(why.len ? why.data : strerror(-r)));
}

bool token_store_find(struct token_store *store, const char *text,
		      char tenant_id[TENANT_ID_MAX + 1], char id[TOKEN_ID_SIZE]) {
	const struct token *token;

	pthread_rwlock_rdlock(&store->lock);
	token = token_list_find(&store->list, text);
	if (token) {
		snprintf(tenant_id, TENANT_ID_MAX + 1, "%s", token->tenant_id);
		snprintf(id, TOKEN_ID_SIZE, "%s", token->id);
	}
	pthread_rwlock_unlock(&store->lock);
	return token;
}

size_t token_store_count(struct token_store *store) {
	size_t count;

	pthread_rwlock_rdlock(&store->lock);
	count = store->list.count;
	pthread_rwlock_unlock(&store->lock);
	return count;
}
