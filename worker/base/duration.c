#include "base/duration.h"

#include "base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static const struct {
	const char *name;
	int64_t ms;
} units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
};

int duration_parse(const char *text, int64_t *ms) {
	const char *p = text;
	int64_t number = 0, product;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, *p - '0', &number))
			return -EINVAL;
	}
	if (p == text)
		return -EINVAL;
	if (!*p && number == 0) {
		*ms = 0;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (strcmp(p, units[i].name) != 0)
			continue;
		if (__builtin_mul_overflow(number, units[i].ms, &product))
			return -EINVAL;
		*ms = product;
		return 0;
	}
	return -EINVAL;
}

void duration_format(int64_t ms, char out[DURATION_TEXT_SIZE]) {
	size_t unit = 0;

	if (ms == 0) {
		memcpy(out, "0", sizeof("0"));
		return;
	}
	while (ms % units[unit].ms)
		unit++;
	snprintf(out, DURATION_TEXT_SIZE, "%" PRId64 "%s", ms / units[unit].ms, units[unit].name);
}
