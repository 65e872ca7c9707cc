/* Reading one line of a script: the words of it, and what is wrong with it. */
#ifndef AIPOWER_SCRIPT_H
#define AIPOWER_SCRIPT_H

#include "machine.h"

typedef struct {
    char *rest;        /* what is not read yet of the line */
    const char *error; /* what is wrong with it, NULL while nothing is */
    Machine *machine;
    Gpu *gpu; /* the GPU that lines describe now, NULL before the first */
    bool has_header, has_t0;
} Reader;

typedef struct {
    const char *word;
    void (*read)(Reader *reader);
} Keyword;

/* script_words.c: each takes one word; after a mistake `error` is set and the answer means nothing. */
const char *take_word(Reader *reader);
double take_number(Reader *reader);   /* any number but NaN; inf is one */
double take_positive(Reader *reader); /* finite and above 0 */
uint64_t take_integer(Reader *reader);
unsigned int take_unsigned(Reader *reader);
bool take_flag(Reader *reader); /* 0 or 1 */
int take_choice(Reader *reader, const char *const *words, int count);
char *take_line(Reader *reader); /* the rest of the line, allocated */
void take_text(Reader *reader, char *text); /* the same into TEXT bytes */
Span take_span(Reader *reader);
FaultRule take_fault(Reader *reader);
void *grow(void *items, size_t count, size_t size); /* room for count + 1 items */

#define APPEND(items, count, item) ((items) = grow((items), (count), sizeof *(items)), (items)[(count)++] = (item))

/* script_gpu.c */
void begin_gpu(Reader *reader);
void read_gpu_line(Reader *reader, const char *word);
void gpu_free(Gpu *gpu);

#endif
