#include "terminal/output.h"

#include <errno.h>
#include <string.h>

enum admin_status terminal_check_buffer(const char *command, const struct buffer *buffer) {
	if (!buffer->overflowed)
		return ADMIN_OK;
	terminal_complain("%s: the answer is larger than %zu bytes and is not printed", command,
			  buffer->max);
	return ADMIN_REFUSED;
}

enum admin_status terminal_print_buffer(FILE *stream, const char *command,
					const struct buffer *buffer) {
	if (terminal_check_buffer(command, buffer))
		return ADMIN_REFUSED;
	if (buffer->len && fwrite(buffer->data, 1, buffer->len, stream) != buffer->len) {
		terminal_complain("%s: cannot write: %s", command, strerror(errno));
		return ADMIN_REFUSED;
	}
	return ADMIN_OK;
}
