/* The numbers that tenants and words (event types, reasons) have in the file, which each gets with
 * its first use. Those that were used lately are remembered. Inside `history` only. */
#pragma once

#include "history/internal.h"

/* Forgets what is remembered: after a transaction that was not committed. */
void names_forget(struct names *names);

/* Each returns 0 or -EIO after logging. */

/* `partition`: where the tenant's events lie. */
int names_tenant(struct history *history, const char *tenant_id, int32_t partition,
		 int64_t *out) _must_check_;
/* 0 for NULL. */
int names_word(struct history *history, const char *word, int64_t *out) _must_check_;
