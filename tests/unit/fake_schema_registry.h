/* registry/schema_registry.h as far as turns use it: what is known is what a test says. */
#pragma once

#include "registry/schema_registry.h"

struct fake_schema_registry {
	enum registry_answer answer; /* to each question */
	unsigned answers;
	bool has_results_id;
	uint32_t results_id;
};

extern struct fake_schema_registry fake_schema_registry;
