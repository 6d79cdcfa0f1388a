/* The word of /readyz, for all that is counted. */
#include "base/memory.h"
#include "pipeline/partition.h"
#include "pipeline/readiness.h"
#include "unit.h"

static const struct {
	const char *name;
	enum partition_state partitions[2];
	bool has_joined;
	int undone, repairs;
	unsigned refused;
	enum pipeline_readiness word;
} words[] = {
	{ "just started", { 0 }, false, 0, 0, 0, PIPELINE_STARTING },
	{ "no broker answers: once, twice", { 0 }, false, 0, 2, 0, PIPELINE_STARTING },
	{ "three times", { 0 }, false, 0, 3, 0, PIPELINE_FAILING },
	{ "the login is refused", { 0 }, false, 0, 0, METRIC_REFUSED_LOGIN, PIPELINE_FAILING },
	{ "a member, and others have all", { 0 }, true, 0, 0, 0, PIPELINE_READY },
	{ "one is restored",
	  { PARTITION_ACTIVE, PARTITION_RESTORING },
	  true,
	  0,
	  0,
	  0,
	  PIPELINE_RESTORING },
	{ "given away, and not yet another's",
	  { PARTITION_SUSPENDED, PARTITION_ABSENT },
	  true,
	  0,
	  0,
	  0,
	  PIPELINE_RESTORING },
	{ "the restore is tried in vain",
	  { PARTITION_ACTIVE, PARTITION_RESTORING },
	  true,
	  0,
	  3,
	  0,
	  PIPELINE_FAILING },
	{ "all are served", { PARTITION_ACTIVE, PARTITION_ACTIVE }, true, 0, 0, 0, PIPELINE_READY },
	{ "served, whatever is tried again beside it",
	  { PARTITION_ACTIVE, PARTITION_ACTIVE },
	  true,
	  0,
	  9,
	  0,
	  PIPELINE_READY },
	{ "one is torn", { PARTITION_ACTIVE, PARTITION_FAILED }, true, 0, 0, 0, PIPELINE_TORN },
	{ "torn, and another is restored",
	  { PARTITION_RESTORING, PARTITION_FAILED },
	  true,
	  0,
	  0,
	  0,
	  PIPELINE_TORN },
	{ "four turns were undone",
	  { PARTITION_ACTIVE, PARTITION_ACTIVE },
	  true,
	  4,
	  0,
	  0,
	  PIPELINE_READY },
	{ "five", { PARTITION_ACTIVE, PARTITION_ACTIVE }, true, 5, 0, 0, PIPELINE_FAILING },
	{ "an input may not be read",
	  { PARTITION_ACTIVE, PARTITION_ACTIVE },
	  true,
	  0,
	  0,
	  METRIC_REFUSED_INPUT,
	  PIPELINE_FAILING },
	{ "transactions are refused",
	  { PARTITION_ACTIVE, PARTITION_ACTIVE },
	  true,
	  0,
	  0,
	  METRIC_REFUSED_TRANSACTIONS,
	  PIPELINE_FAILING },
};

static void it_has_a_word(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct pipeline_metrics metrics = { 0 };

		print_message("%s\n", words[i].name);
		pipeline_metrics_init(&metrics, 2);
		atomic_store(&metrics.undone_in_a_row, words[i].undone);
		atomic_store(&metrics.repairs_in_a_row, words[i].repairs);
		atomic_store(&metrics.refused, words[i].refused);
		for (int k = 0; k < 2; k++)
			atomic_store(&metrics.partitions[k].state, (int)words[i].partitions[k]);
		assert_int_equal(readiness_of(&metrics, words[i].has_joined, true), words[i].word);
		pipeline_metrics_destroy(&metrics);
	}
}

static void no_answer_of_the_group(void **state _unused_) {
	struct pipeline_metrics metrics = { 0 };

	pipeline_metrics_init(&metrics, 1);
	assert_int_equal(readiness_of(&metrics, false, false), PIPELINE_STARTING);
	print_message("it gave its partition away, and hears nothing\n");
	atomic_store(&metrics.partitions[0].state, (int)PARTITION_SUSPENDED);
	assert_int_equal(readiness_of(&metrics, true, true), PIPELINE_RESTORING);
	assert_int_equal(readiness_of(&metrics, true, false), PIPELINE_FAILING);
	print_message("it does not know yet that it lost it\n");
	atomic_store(&metrics.partitions[0].state, (int)PARTITION_ACTIVE);
	assert_int_equal(readiness_of(&metrics, true, false), PIPELINE_FAILING);
	pipeline_metrics_destroy(&metrics);
}

static void the_changelog_may_not_be_read(void **state _unused_) {
	struct pipeline_metrics metrics = { 0 };

	pipeline_metrics_init(&metrics, 1);
	restore_metrics_refuse(&metrics.restore, true);
	assert_int_equal(readiness_of(&metrics, true, true), PIPELINE_FAILING);
	restore_metrics_refuse(&metrics.restore, false);
	assert_int_equal(readiness_of(&metrics, true, true), PIPELINE_READY);
	pipeline_metrics_destroy(&metrics);
}

static void the_schema_registry_does_not_answer(void **state _unused_) {
	struct pipeline_metrics metrics = { 0 };

	pipeline_metrics_init(&metrics, 1);
	print_message("twice\n");
	atomic_store(&metrics.registry.failures, 2);
	assert_int_equal(readiness_of(&metrics, true, true), PIPELINE_READY);
	print_message("three times\n");
	atomic_store(&metrics.registry.failures, 3);
	assert_int_equal(readiness_of(&metrics, true, true), PIPELINE_FAILING);
	print_message("or does not have the schema of our events\n");
	atomic_store(&metrics.registry.failures, 0);
	atomic_store(&metrics.registry.results_failures, 3);
	assert_int_equal(readiness_of(&metrics, true, true), PIPELINE_FAILING);
	pipeline_metrics_destroy(&metrics);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_has_a_word),
		cmocka_unit_test(no_answer_of_the_group),
		cmocka_unit_test(the_changelog_may_not_be_read),
		cmocka_unit_test(the_schema_registry_does_not_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
