#include "base/number.h"

#include <ctype.h>
#include <errno.h>

int number_parse(const char *text, int64_t min, int64_t max, int64_t *out) {
	const char *digits = text + (*text == '-');
	long long number;
	char *end;

	if (!isdigit((unsigned char)*digits))
		return -EINVAL;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno || *end || number < min || number > max)
		return -EINVAL;
	*out = number;
	return 0;
}
