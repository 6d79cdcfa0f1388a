/*
 * The frame of a harness of tests/fuzz: one function that libFuzzer calls with each input, which
 * does with it the same as the program does with a stranger's bytes, and CHECKs the result.
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"

#include <stdio.h>

/* Returns 0. Whatever it leaves behind (memory, static state) the next input must not see. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A CHECK that fails is a crash: the input is kept. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,          \
				#condition);                                                       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* An input of several parts is read from its start. */
struct fuzz_input {
	const uint8_t *at, *end;
};

#define FUZZ_INPUT(data, size) ((struct fuzz_input){ (data), (data) + (size) })

/* A byte; 0 at the end. */
static inline uint8_t fuzz_take_byte(struct fuzz_input *input) {
	return input->at < input->end ? *input->at++ : 0;
}

/*
 * The bytes as a string. The caller frees it. It has exactly its size, so that a read past it is
 * seen; a NUL in the bytes ends it.
 */
static inline char *fuzz_text(const uint8_t *data, size_t size) {
	const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
	size_t len = nul ? (size_t)(nul - data) : size;
	char *text = x_malloc(len + 1);

	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	return text;
}

/* The text up to `end_byte`, which is taken away, or to the end of the input. */
static inline char *fuzz_take_text(struct fuzz_input *input, char end_byte) {
	size_t left = (size_t)(input->end - input->at);
	const uint8_t *stop = left ? memchr(input->at, end_byte, left) : NULL;
	size_t len = stop ? (size_t)(stop - input->at) : left;
	char *text = fuzz_text(input->at, len);

	input->at += len + (stop != NULL);
	return text;
}

static inline char *fuzz_take_line(struct fuzz_input *input) {
	return fuzz_take_text(input, '\n');
}

/*
 * The input as a file, for functions that take a path: one memfd for all runs, which only its owner
 * may read. Returns the path, static text.
 */
const char *fuzz_file(const uint8_t *data, size_t size);
