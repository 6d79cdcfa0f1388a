#include "fake_schema_registry.h"

#include "base/memory.h"

struct fake_schema_registry fake_schema_registry;

enum registry_answer schema_registry_ask(struct schema_registry *registry _unused_,
					 uint32_t id _unused_) {
	return fake_schema_registry.answer;
}

unsigned schema_registry_answers(const struct schema_registry *registry _unused_) {
	return fake_schema_registry.answers;
}

bool schema_registry_results_id(const struct schema_registry *registry _unused_, uint32_t *id) {
	*id = fake_schema_registry.results_id;
	return fake_schema_registry.has_results_id;
}
