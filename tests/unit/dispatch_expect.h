/* A script that runs, and its expectations (dispatch_script.h). */
#pragma once

#include "dispatch_script.h"
#include "dispatch_world.h"

enum { SCRIPT_WORDS_MAX = 24, SCRIPT_CANCELS_MAX = 500 };

struct script {
	const struct dispatch_row *row;
	const char *step; /* the one that runs */
	struct world w;
	size_t body_len;
	size_t loaded; /* of the replica's bytes, by `loaded` */
	int64_t pending;
};

/* Runs the step where its verb is an expectation; returns whether it is. `words` ends with NULL. */
bool script_expect(struct script *s, const char *verb, char **words);

/* The reports and cancellations of the dispatcher, in the world's arena; return how many. */
size_t script_list_reports(struct script *s, struct dispatch_report **reports);
size_t script_list_cancels(struct script *s, size_t limit, struct dispatch_cancellation **items);
