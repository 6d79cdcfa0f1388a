/*
 * The options of the sanitizers, in every program that is built with them. Those of the environment
 * (ASAN_OPTIONS and its like) win.
 */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
const char *__ubsan_default_options(void);

#ifdef POSTHORN_FUZZ
/* A failed CHECK has a stack too. */
#define OF_A_HARNESS ":handle_abort=1:allow_addr2line=1"
#else
#define OF_A_HARNESS ""
#endif

const char *__asan_default_options(void) {
	return "detect_stack_use_after_return=1:strict_string_checks=1" OF_A_HARNESS;
}

const char *__tsan_default_options(void) {
	return "second_deadlock_stack=1:suppressions=" TSAN_SUPPRESSIONS;
}

const char *__ubsan_default_options(void) {
	return "print_stacktrace=1";
}
