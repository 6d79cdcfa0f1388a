/* The option table as text. */
#pragma once

#include "base/buffer.h"

/* For `--help`. */
void config_describe(struct buffer *out);
/* As `key<TAB>default<TAB>help` lines, from which docs/configuration.md is made. */
void config_list(struct buffer *out);
/* As items of a manual page. */
void config_append_manual(struct buffer *out);
