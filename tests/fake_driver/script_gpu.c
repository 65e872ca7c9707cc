/* The lines that describe one GPU. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"

/* Bounds on the work of one call, so that a mistaken script is refused and does not look like a hang. */
static const double MAX_STEPS = 1e5;
static const double SHORTEST_S = 1e-4;

static const char *const SENSOR_WORDS[] = {"none", "every"};
static const char *const DRAW_WORDS[] = {"instant", "average"};
static const char *const MIG_WORDS[] = {"unsupported", "off", "on"};
static const char *const ENERGY_WORDS[] = {"none", "constant", "full", "parttime"};
static const char *const MEASURE_WORDS[] = {"graphics", "sm", "tensor", "dram"};
static const char *const SAMPLER_WORDS[] = {"each", "one"};

void begin_gpu(Reader *reader) {
    Machine *machine = reader->machine;
    Gpu gpu = {.index = (unsigned int)machine->gpu_count, .gain = 1.0, .gpu_scope = true};
    gpu.module_w = gpu.memory_share = -1.0;
    gpu.sampler = (Sampler){.one_per_sample = true, .period_s = 1.0 / 6.0, .ring_s = 10.0};
    snprintf(gpu.uuid, sizeof gpu.uuid, "GPU-%u", gpu.index);
    snprintf(gpu.name, sizeof gpu.name, "Fake GPU");
    APPEND(machine->gpus, machine->gpu_count, gpu);
    reader->gpu = &machine->gpus[machine->gpu_count - 1];
}

static void read_uuid(Reader *r) { take_text(r, r->gpu->uuid); }
static void read_name(Reader *r) { take_text(r, r->gpu->name); }
static void read_architecture(Reader *r) { r->gpu->architecture = take_unsigned(r); }
static void read_minor(Reader *r) { r->gpu->minor = take_unsigned(r); }
static void read_persistence(Reader *r) { r->gpu->persistence = take_flag(r); }
static void read_memory(Reader *r) { r->gpu->memory_bytes = take_integer(r); }
static void read_mig(Reader *r) { r->gpu->mig = (MigMode)take_choice(r, MIG_WORDS, 3); }
static void read_idle(Reader *r) { r->gpu->idle_w = take_number(r); }
static void read_draw(Reader *r) { r->gpu->draw_is_average = take_choice(r, DRAW_WORDS, 2) == 1; }

static void read_accounting(Reader *r) { r->gpu->accounting = take_flag(r); }

static void read_instance(Reader *r) {
    Instance instance = {.id = take_unsigned(r)};
    instance.slices = take_unsigned(r);
    APPEND(r->gpu->instances, r->gpu->instance_count, instance);
}

static void read_pci(Reader *r) {
    r->gpu->pci_device_id = take_unsigned(r);
    r->gpu->pci_subsystem_id = take_unsigned(r);
    take_text(r, r->gpu->pci_bus_id);
}

static void read_limits(Reader *r) {
    r->gpu->limit_min_mw = take_unsigned(r);
    r->gpu->limit_max_mw = take_unsigned(r);
    r->gpu->limit_default_mw = take_unsigned(r);
    r->gpu->limit_current_mw = take_unsigned(r);
}

static void read_calibration(Reader *r) {
    r->gpu->gain = take_number(r);
    r->gpu->offset_w = take_number(r);
}

static void read_scopes(Reader *r) {
    r->gpu->gpu_scope = take_flag(r);
    r->gpu->module_w = take_number(r);
    r->gpu->memory_share = take_number(r);
}

static void read_energy(Reader *r) {
    EnergyCounter *energy = &r->gpu->energy;
    energy->mode = (EnergyMode)take_choice(r, ENERGY_WORDS, 4);
    energy->period_s = take_positive(r);
    energy->phase_s = take_number(r);
    energy->window_s = take_positive(r);
    energy->base_mj = take_number(r);
    if (energy->period_s < SHORTEST_S) r->error = "a period below 0.1 ms";
    if (!(energy->base_mj >= 0.0 && energy->base_mj < UINT64_MAX / 2)) r->error = "not a counter";
}

static void read_sensor(Reader *r, PowerSensor *sensor) {
    sensor->supported = take_choice(r, SENSOR_WORDS, 2) == 1;
    if (!sensor->supported) return;
    sensor->period_s = take_positive(r);
    sensor->window_s = take_positive(r);
    sensor->phase_s = take_number(r);
    sensor->sample_s = take_number(r);
    if (sensor->window_s / sensor->period_s > MAX_STEPS) r->error = "too many periods in the window";
}

static void read_instant(Reader *r) { read_sensor(r, &r->gpu->instant); }
static void read_average(Reader *r) { read_sensor(r, &r->gpu->average); }

static Shape take_shape(Reader *r, ShapeKind kind) {
    Span span = take_span(r);
    Shape shape = {.kind = kind, .start_s = span.start_s, .end_s = span.end_s, .level = take_number(r)};
    if (kind != SHAPE_SEGMENT && (isinf(span.start_s) || isinf(shape.level))) r->error = "endless on the left";
    if (kind == SHAPE_RAMP && isinf(span.end_s)) r->error = "an endless ramp";
    if (kind == SHAPE_RAMP) shape.last_level = take_number(r);
    if (kind == SHAPE_SQUARE) shape.period_s = take_positive(r);
    if (kind == SHAPE_SQUARE) shape.duty = take_number(r);
    return shape;
}

static void add_power(Reader *r, ShapeKind kind) {
    APPEND(r->gpu->power.items, r->gpu->power.count, take_shape(r, kind));
}

static void add_busy(Reader *r, ShapeKind kind) {
    if (r->gpu->process_count == 0) {
        r->error = "no process to be busy";
        return;
    }
    Shapes *busy = &r->gpu->processes[r->gpu->process_count - 1].busy;
    APPEND(busy->items, busy->count, take_shape(r, kind));
}

static void read_measure(Reader *r) {
    int measure = take_choice(r, MEASURE_WORDS, MEASURES);
    if (r->gpu->instance_count == 0) {
        r->error = "no instance to be busy";
        return;
    }
    Shapes *shapes = &r->gpu->instances[r->gpu->instance_count - 1].measures[measure];
    APPEND(shapes->items, shapes->count, take_shape(r, SHAPE_SEGMENT));
}

static void read_segment(Reader *r) { add_power(r, SHAPE_SEGMENT); }
static void read_square(Reader *r) { add_power(r, SHAPE_SQUARE); }
static void read_ramp(Reader *r) { add_power(r, SHAPE_RAMP); }
static void read_busy(Reader *r) { add_busy(r, SHAPE_SEGMENT); }
static void read_busy_square(Reader *r) { add_busy(r, SHAPE_SQUARE); }

static void read_process(Reader *r) {
    Span span = take_span(r);
    Process process = {.start_s = span.start_s, .end_s = span.end_s, .kinds = take_unsigned(r)};
    process.memory_bytes = take_integer(r);
    process.instance = take_unsigned(r);
    process.only_alive = take_flag(r);
    process.pid_source = take_line(r);
    APPEND(r->gpu->processes, r->gpu->process_count, process);
}

static void read_sampler(Reader *r) {
    Sampler *sampler = &r->gpu->sampler;
    sampler->one_per_sample = take_choice(r, SAMPLER_WORDS, 2) == 1;
    sampler->period_s = take_positive(r);
    sampler->ring_s = take_positive(r);
    sampler->seed = take_integer(r);
    if (sampler->ring_s / sampler->period_s > MAX_STEPS) r->error = "too many samples in the ring";
}

static void read_quirks(Reader *r) {
    Sampler *sampler = &r->gpu->sampler;
    sampler->sizing_success = take_flag(r);
    sampler->zero_rows = take_flag(r);
    sampler->garbage_rows = take_unsigned(r);
    sampler->garbage_stamp_us = take_integer(r);
    if (sampler->garbage_rows > 1000) r->error = "more than 1000 rows";
}

static void read_fault(Reader *r) { APPEND(r->gpu->faults.items, r->gpu->faults.count, take_fault(r)); }
static void read_reset(Reader *r) { APPEND(r->gpu->resets_s, r->gpu->reset_count, take_number(r)); }
static void read_stuck(Reader *r) { APPEND(r->gpu->stuck.items, r->gpu->stuck.count, take_span(r)); }
static void read_lost(Reader *r) { APPEND(r->gpu->lost.items, r->gpu->lost.count, take_span(r)); }

static void read_jump(Reader *r) {
    Jump jump = {.at_s = take_number(r)};
    jump.amount_mj = take_number(r);
    APPEND(r->gpu->jumps, r->gpu->jump_count, jump);
}

static const Keyword KEYWORDS[] = {
    {"uuid", read_uuid},           {"name", read_name},
    {"architecture", read_architecture}, {"minor", read_minor},
    {"persistence", read_persistence},   {"memory", read_memory},
    {"mig", read_mig},             {"idle", read_idle},
    {"draw", read_draw},           {"pci", read_pci},
    {"limits", read_limits},       {"calibration", read_calibration},
    {"scopes", read_scopes},       {"energy", read_energy},
    {"instant", read_instant},     {"average", read_average},
    {"segment", read_segment},     {"square", read_square},
    {"ramp", read_ramp},           {"process", read_process},
    {"busy", read_busy},           {"busy_square", read_busy_square},
    {"sampler", read_sampler},     {"quirks", read_quirks},
    {"fault", read_fault},         {"reset", read_reset},
    {"stuck", read_stuck},         {"lost", read_lost},
    {"jump", read_jump},           {"accounting", read_accounting},
    {"instance", read_instance},   {"measure", read_measure},
};

void read_gpu_line(Reader *reader, const char *word) {
    for (size_t i = 0; i < sizeof KEYWORDS / sizeof *KEYWORDS; i++) {
        if (strcmp(word, KEYWORDS[i].word) != 0) continue;
        KEYWORDS[i].read(reader);
        return;
    }
    reader->error = "an unknown keyword";
}

void gpu_free(Gpu *gpu) {
    for (size_t i = 0; i < gpu->process_count; i++) {
        free(gpu->processes[i].pid_source);
        free(gpu->processes[i].busy.items);
    }
    for (size_t i = 0; i < gpu->faults.count; i++) free(gpu->faults.items[i].glob);
    for (size_t i = 0; i < gpu->instance_count; i++) {
        for (int k = 0; k < MEASURES; k++) free(gpu->instances[i].measures[k].items);
    }
    free(gpu->instances);
    free(gpu->processes);
    free(gpu->faults.items);
    free(gpu->power.items);
    free(gpu->resets_s);
    free(gpu->stuck.items);
    free(gpu->lost.items);
    free(gpu->jumps);
}
