#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"

static double fail(Reader *reader, const char *error) {
    if (reader->error == NULL) reader->error = error;
    return 0.0;
}

const char *take_word(Reader *reader) {
    while (*reader->rest == ' ') reader->rest++;
    char *word = reader->rest;
    if (*word == '\0') {
        fail(reader, "a value is missing");
        return "";
    }
    reader->rest += strcspn(reader->rest, " ");
    if (*reader->rest != '\0') *reader->rest++ = '\0';
    return word;
}

double take_number(Reader *reader) {
    const char *word = take_word(reader);
    char *end = NULL;
    double number = strtod(word, &end);
    if (*word == '\0' || *end != '\0' || isnan(number)) return fail(reader, "not a number");
    return number;
}

double take_positive(Reader *reader) {
    double number = take_number(reader);
    if (!(number > 0.0) || isinf(number)) return fail(reader, "not a positive number");
    return number;
}

uint64_t take_integer(Reader *reader) {
    const char *word = take_word(reader);
    char *end = NULL;
    errno = 0;
    uint64_t number = strtoull(word, &end, 10);
    if (*word < '0' || *word > '9' || *end != '\0' || errno != 0) fail(reader, "not a whole number");
    return number;
}

unsigned int take_unsigned(Reader *reader) {
    uint64_t number = take_integer(reader);
    if (number > UINT32_MAX) fail(reader, "above 32 bits");
    return (unsigned int)number;
}

bool take_flag(Reader *reader) {
    uint64_t number = take_integer(reader);
    if (number > 1) fail(reader, "neither 0 nor 1");
    return number == 1;
}

int take_choice(Reader *reader, const char *const *words, int count) {
    const char *word = take_word(reader);
    for (int i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) return i;
    }
    fail(reader, "an unknown word");
    return 0;
}

char *take_line(Reader *reader) {
    while (*reader->rest == ' ') reader->rest++;
    if (*reader->rest == '\0') fail(reader, "a value is missing");
    char *copy = strdup(reader->rest);
    reader->rest += strlen(reader->rest);
    return copy;
}

void take_text(Reader *reader, char *text) {
    char *line = take_line(reader);
    if (strlen(line) >= TEXT) fail(reader, "longer than 95 characters");
    snprintf(text, TEXT, "%s", line);
    free(line);
}

Span take_span(Reader *reader) {
    Span span = {.start_s = take_number(reader)};
    span.end_s = take_number(reader);
    if (!(span.end_s >= span.start_s)) fail(reader, "the end is before the start");
    return span;
}

FaultRule take_fault(Reader *reader) {
    Span span = take_span(reader);
    FaultRule rule = {.start_s = span.start_s, .end_s = span.end_s};
    rule.code = (nvmlReturn_t)take_unsigned(reader);
    rule.probability = take_number(reader);
    rule.delay_s = take_number(reader);
    if (rule.delay_s < 0.0 || isinf(rule.delay_s)) fail(reader, "not a delay");
    rule.glob = take_line(reader);
    return rule;
}

void *grow(void *items, size_t count, size_t size) {
    void *larger = realloc(items, (count + 1) * size);
    if (larger == NULL) abort();
    return larger;
}
