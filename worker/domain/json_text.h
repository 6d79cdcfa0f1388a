/* JSON as text that is sent unchanged, and so is only checked. Inside `domain` only. */
#pragma once

#include <stdbool.h>

enum json_text_kind { JSON_TEXT_OBJECT, JSON_TEXT_OBJECT_OR_STRING, JSON_TEXT_ANY };

enum json_text_fault {
	JSON_TEXT_GOOD,
	JSON_TEXT_WRONG,    /* no JSON, with a name twice, or of another kind */
	JSON_TEXT_TOO_DEEP, /* more than JSON_DEPTH_MAX levels */
};

/* ANY is anything but null. */
enum json_text_fault json_text_judge(const char *text, enum json_text_kind kind);
