/* Texts with commas between, and blanks around each. */
#pragma once

#include <stddef.h>
#include <string.h>

/* Takes the next element off the list, without the blanks around it; NULL at the end. Modifies the
 * list. */
static inline char *elements_next(char **list) {
	char *element = strsep(list, ","), *end;

	if (!element)
		return NULL;
	element += strspn(element, " \t");
	end = element + strlen(element);
	while (end > element && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	return element;
}

/* How many elements the text has: an empty one has one. */
static inline size_t elements_count(const char *text) {
	size_t count = 1;

	for (; *text; text++)
		count += *text == ',';
	return count;
}
