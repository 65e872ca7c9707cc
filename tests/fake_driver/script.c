/* The script file: one keyword and its values per line; `gpu` begins the next GPU. Loaded whole or not at all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"

static void read_t0(Reader *r) {
    r->machine->t0_monotonic_s = take_number(r);
    r->has_t0 = true;
}

static void read_clock(Reader *r) {
    free(r->machine->clock_path);
    r->machine->clock_path = take_line(r);
}

static void read_wall_offset(Reader *r) { r->machine->wall_offset_s = take_number(r); }
static void read_live(Reader *r) { r->machine->live = take_flag(r); }
static void read_epoch(Reader *r) { r->machine->epoch = take_unsigned(r); }

static void read_wall_step(Reader *r) {
    Step step = {.at_s = take_number(r)};
    step.by_s = take_number(r);
    APPEND(r->machine->wall_steps, r->machine->wall_step_count, step);
}

static void read_driver(Reader *r) { take_text(r, r->machine->driver); }
static void read_nvml(Reader *r) { take_text(r, r->machine->nvml); }
static void read_cuda(Reader *r) { r->machine->cuda = (int)take_unsigned(r); }
static void read_init(Reader *r) { r->machine->init_code = (nvmlReturn_t)take_unsigned(r); }
static void read_fault(Reader *r) { APPEND(r->machine->faults.items, r->machine->faults.count, take_fault(r)); }

static const Keyword KEYWORDS[] = {
    {"t0", read_t0},     {"wall_offset", read_wall_offset}, {"clock", read_clock}, {"driver", read_driver},
    {"nvml", read_nvml}, {"cuda", read_cuda},               {"init", read_init},   {"fault", read_fault},
    {"gpu", begin_gpu},  {"live", read_live},               {"epoch", read_epoch}, {"wall_step", read_wall_step},
};

static void read_machine_line(Reader *reader, const char *word) {
    for (size_t i = 0; i < sizeof KEYWORDS / sizeof *KEYWORDS; i++) {
        if (strcmp(word, KEYWORDS[i].word) != 0) continue;
        KEYWORDS[i].read(reader);
        return;
    }
    reader->error = "an unknown keyword";
}

static void read_line(Reader *reader, char *line) {
    line[strcspn(line, "\n")] = '\0';
    if (!reader->has_header) {
        reader->has_header = true;
        if (strcmp(line, "aipower-fake-nvml 1") != 0) reader->error = "the first line is not: aipower-fake-nvml 1";
        return;
    }
    reader->rest = line;
    if (*line == '\0' || *line == '#') return;
    const char *word = take_word(reader);
    if (reader->gpu == NULL || strcmp(word, "gpu") == 0) {
        read_machine_line(reader, word);
    } else {
        read_gpu_line(reader, word);
    }
    if (reader->error == NULL && *reader->rest != '\0') reader->error = "too many values";
}

/* Returns the number of the last line read. */
static int read_lines(Reader *reader, FILE *file) {
    char *line = NULL;
    size_t size = 0;
    int number = 0;
    while (reader->error == NULL && getline(&line, &size, file) >= 0) {
        number++;
        read_line(reader, line);
    }
    free(line);
    if (reader->error == NULL && !reader->has_t0) reader->error = "no t0";
    return number;
}

Machine *machine_load(const char *path) {
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fprintf(stderr, "fake nvml: cannot open the script %s\n", path);
        return NULL;
    }
    Reader reader = {.machine = calloc(1, sizeof(Machine))};
    int line = read_lines(&reader, file);
    fclose(file);
    if (reader.error == NULL) return reader.machine;
    fprintf(stderr, "fake nvml: %s:%d: %s\n", path, line, reader.error);
    machine_free(reader.machine);
    return NULL;
}

void machine_free(Machine *machine) {
    for (size_t i = 0; i < machine->gpu_count; i++) gpu_free(&machine->gpus[i]);
    for (size_t i = 0; i < machine->faults.count; i++) free(machine->faults.items[i].glob);
    free(machine->faults.items);
    free(machine->gpus);
    free(machine->wall_steps);
    free(machine->clock_path);
    free(machine);
}
