/* What every call does before it answers: cost, log, delay, faults, lost devices; and the machine's clock. */
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"

/* The clock file is replaced atomically by its writer, so that a half-written number is never seen. */
static double file_time_s(const char *path) {
    double time_s = 0.0;
    FILE *file = fopen(path, "re");
    if (file == NULL || fscanf(file, "%lf", &time_s) != 1) fprintf(stderr, "fake nvml: no time in %s\n", path);
    if (file != NULL) fclose(file);
    return time_s;
}

double machine_time_s(const Machine *machine) {
    if (machine->clock_path != NULL) return file_time_s(machine->clock_path);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9 - machine->t0_monotonic_s;
}

double unix_at_s(const Machine *machine, double at_s) {
    double offset_s = machine->wall_offset_s;
    for (size_t i = 0; i < machine->wall_step_count; i++) {
        if (machine->wall_steps[i].at_s <= at_s) offset_s += machine->wall_steps[i].by_s;
    }
    return machine->t0_monotonic_s + offset_s + at_s;
}

/* One write per line: lines of several processes do not mix. */
static void log_call(const char *function, const Gpu *gpu) {
    const char *path = getenv("AIPOWER_FAKE_NVML_LOG");
    if (path == NULL) return;
    char line[128], device[16] = "-";
    if (gpu != NULL) snprintf(device, sizeof device, "%u", gpu->index);
    int length = snprintf(line, sizeof line, "%s %s\n", function, device);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || write(file, line, (size_t)length) != length) fprintf(stderr, "fake nvml: cannot log to %s\n", path);
    if (file >= 0) close(file);
}

static void wait_s(double delay_s) {
    struct timespec rest = {.tv_sec = (time_t)delay_s};
    rest.tv_nsec = (long)((delay_s - (double)rest.tv_sec) * 1e9);
    while (nanosleep(&rest, &rest) != 0) {
    }
}

static uint64_t hash_text(const char *text) {
    uint64_t hash = 0;
    while (*text != '\0') hash = mix(hash ^ (unsigned char)*text++);
    return hash;
}

static bool rule_applies(const FaultRule *rule, const Call *call, const char *function) {
    if (call->began_s < rule->start_s || call->began_s >= rule->end_s) return false;
    /* FNM_PATHNAME: a rule for `*` has had its say on the call, and must not hit its `field/ID` again. */
    if (fnmatch(rule->glob, function, FNM_PATHNAME) != 0) return false;
    if (rule->probability >= 1.0) return true;
    uint64_t moment_us = (uint64_t)(int64_t)(call->began_s * 1e6);
    return chance(moment_us ^ hash_text(function) ^ hash_text(rule->glob)) < rule->probability;
}

/* Adds the delays of all rules that apply; returns the code of the first that has one. */
static nvmlReturn_t apply_rules(const FaultRules *rules, const Call *call, const char *function, double *delay_s) {
    nvmlReturn_t code = NVML_SUCCESS;
    for (size_t i = 0; i < rules->count; i++) {
        if (!rule_applies(&rules->items[i], call, function)) continue;
        *delay_s += rules->items[i].delay_s;
        if (code == NVML_SUCCESS) code = rules->items[i].code;
    }
    return code;
}

static bool lost(const Gpu *gpu, double now_s) {
    for (size_t i = 0; i < gpu->lost.count; i++) {
        if (gpu->lost.items[i].start_s <= now_s && now_s < gpu->lost.items[i].end_s) return true;
    }
    return false;
}

/* The code with which the script answers for `gpu`, after the scripted delay. */
static nvmlReturn_t scripted_code(const Call *call, const Gpu *gpu, const char *function) {
    double delay_s = 0.0;
    nvmlReturn_t code = apply_rules(&call->machine->faults, call, function, &delay_s);
    if (gpu != NULL) {
        nvmlReturn_t own = apply_rules(&gpu->faults, call, function, &delay_s);
        if (code == NVML_SUCCESS) code = own;
    }
    if (delay_s > 0.0) wait_s(delay_s);
    return code;
}

Call begin_call(const char *function, const Gpu *gpu, const Machine *machine) {
    Call call = {.function = function, .machine = machine, .gpu = gpu, .began_cpu_ns = cost_begin()};
    log_call(function, gpu);
    call.began_s = machine_time_s(machine);
    call.result = scripted_code(&call, gpu, function);
    call.now_s = machine_time_s(machine);
    if (gpu != NULL && lost(gpu, call.now_s)) call.result = NVML_ERROR_GPU_IS_LOST;
    return call;
}

static Call refuse(const char *function, nvmlReturn_t code) {
    log_call(function, NULL);
    return (Call){.function = function, .began_cpu_ns = cost_begin(), .result = code};
}

static nvmlReturn_t session_fault(const Session *session) {
    if (session->machine == NULL) return NVML_ERROR_UNINITIALIZED;
    return session->stale ? NVML_ERROR_DRIVER_NOT_LOADED : NVML_SUCCESS;
}

Call enter_system(const char *function) {
    Session session = session_now();
    nvmlReturn_t fault = session_fault(&session);
    return fault != NVML_SUCCESS ? refuse(function, fault) : begin_call(function, NULL, session.machine);
}

Call enter_device(const char *function, nvmlDevice_t device) {
    Session session = session_now();
    const Gpu *gpu = NULL;
    nvmlReturn_t fault = session_fault(&session);
    if (fault == NVML_SUCCESS) fault = find_gpu(session.machine, device, &gpu);
    return fault != NVML_SUCCESS ? refuse(function, fault) : begin_call(function, gpu, session.machine);
}

/* For calls that hand out a device: what any call on it would answer now. */
nvmlReturn_t device_fault(const Call *call, const Gpu *gpu) {
    if (lost(gpu, call->now_s)) return NVML_ERROR_GPU_IS_LOST;
    double delay_s = 0.0;
    nvmlReturn_t code = apply_rules(&gpu->faults, call, call->function, &delay_s);
    if (delay_s > 0.0) wait_s(delay_s);
    return code;
}

nvmlReturn_t field_fault(const Call *call, unsigned int field) {
    char name[32];
    snprintf(name, sizeof name, "field/%u", field);
    return scripted_code(call, call->gpu, name);
}

nvmlReturn_t answer_text(const char *text, char *buffer, unsigned int length) {
    REQUIRE(buffer);
    if (strlen(text) >= length) return NVML_ERROR_INSUFFICIENT_SIZE;
    strcpy(buffer, text);
    return NVML_SUCCESS;
}
