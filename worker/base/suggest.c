#include "base/suggest.h"

#include "base/memory.h"

#include <stdint.h>

enum { SUGGEST_KEY_MAX = 64, SUGGEST_DISTANCE_MAX = 3 };

/* The number of insertions, deletions and replacements between two texts. Source: Wagner and
 * Fischer 1974, with one row kept. */
static size_t edit_distance(const char *a, const char *b) {
	size_t row[SUGGEST_KEY_MAX + 1], b_len = strlen(b);

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
			size_t one_more = MIN(row[j], row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = MIN(replaced, one_more);
		}
	}
	return row[b_len];
}

bool suggest_is_nearer(const char *name, const char *candidate, size_t *nearest) {
	size_t distance;

	if (strlen(name) > SUGGEST_KEY_MAX || strlen(candidate) > SUGGEST_KEY_MAX)
		return false;
	distance = edit_distance(name, candidate);
	if (distance > SUGGEST_DISTANCE_MAX || distance >= *nearest || distance >= strlen(name) / 2)
		return false;
	*nearest = distance;
	return true;
}
