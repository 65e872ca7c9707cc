/* Accounting: what the driver remembers of the living, and of the last 128 dead. */
#include <math.h>

#include "machine.h"

enum { BUFFER = 4000, MOST_DEAD = 128 };

static bool keeps_accounts(const Gpu *gpu) {
    return gpu->accounting && gpu->mig != MIG_ON;
}

nvmlReturn_t nvmlDeviceGetAccountingMode(nvmlDevice_t device, unsigned int *mode) {
    ENTER_DEVICE(device);
    REQUIRE(mode);
    *mode = keeps_accounts(call.gpu);
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetAccountingBufferSize(nvmlDevice_t device, unsigned int *size) {
    ENTER_DEVICE(device);
    REQUIRE(size);
    *size = BUFFER;
    return NVML_SUCCESS;
}

static bool ended(const Process *process, double now_s) {
    return process->end_s <= now_s;
}

/* How many have ended after `process` had. */
static size_t ended_later(const Gpu *gpu, const Process *process, double now_s) {
    size_t count = 0;
    for (size_t i = 0; i < gpu->process_count; i++) {
        if (ended(&gpu->processes[i], now_s) && gpu->processes[i].end_s > process->end_s) count++;
    }
    return count;
}

/* A dead process makes room for one that has its pid now, and for the 128 that died after it. */
static bool remembered(const Call *call, const Process *process) {
    if (process->start_s > call->now_s || process_pid(process) == 0) return false;
    if (!ended(process, call->now_s)) return true;
    for (size_t i = 0; i < call->gpu->process_count; i++) {
        const Process *other = &call->gpu->processes[i];
        bool later = other->start_s > process->start_s && other->start_s <= call->now_s;
        if (later && process_pid(other) == process_pid(process)) return false;
    }
    return ended_later(call->gpu, process, call->now_s) < MOST_DEAD;
}

nvmlReturn_t nvmlDeviceGetAccountingPids(nvmlDevice_t device, unsigned int *count, unsigned int *pids) {
    ENTER_DEVICE(device);
    REQUIRE(count);
    if (!keeps_accounts(call.gpu)) return NVML_ERROR_NOT_SUPPORTED;
    unsigned int room = pids == NULL ? 0 : *count;
    *count = 0;
    for (size_t i = 0; i < call.gpu->process_count; i++) {
        if (!remembered(&call, &call.gpu->processes[i])) continue;
        if (*count < room) pids[*count] = process_pid(&call.gpu->processes[i]);
        (*count)++;
    }
    return *count > room ? NVML_ERROR_INSUFFICIENT_SIZE : NVML_SUCCESS;
}

static const Process *find(const Call *call, unsigned int pid) {
    for (size_t i = 0; i < call->gpu->process_count; i++) {
        const Process *process = &call->gpu->processes[i];
        if (process_pid(process) == pid && remembered(call, process)) return process;
    }
    return NULL;
}

/* Times are those of a whole life; the time of a living process is 0. */
static nvmlAccountingStats_v2_t account(const Call *call, const Process *process) {
    Life life = sampled_life(call->gpu, process, call->now_s);
    double start_s = fmax(process->start_s, 0.0);
    bool dead = ended(process, call->now_s);
    return (nvmlAccountingStats_v2_t){
        .pid = process_pid(process),
        .isRunning = !dead,
        .gpuUtilization = life.count == 0 ? 0 : (unsigned int)(life.sum_percent / life.count + 1e-9),
        .maxMemoryUsage = process->memory_bytes,
        .sampleCount = life.count,
        .sumGpuUtil = (unsigned long long)llround(life.sum_percent * 100.0),
        .time = dead ? (unsigned long long)llround((process->end_s - start_s) * 1000.0) : 0,
        .startTime = (unsigned long long)llround(unix_at_s(call->machine, start_s) * 1e6),
    };
}

nvmlReturn_t nvmlDeviceGetAccountingStats_v2(nvmlDevice_t device, nvmlAccountingStats_v2_t *stats) {
    ENTER_DEVICE(device);
    REQUIRE(stats);
    if (!keeps_accounts(call.gpu)) return NVML_ERROR_NOT_SUPPORTED;
    const Process *process = find(&call, stats->pid);
    if (process == NULL) return NVML_ERROR_NOT_FOUND;
    *stats = account(&call, process);
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetAccountingStats(nvmlDevice_t device, unsigned int pid, nvmlAccountingStats_t *stats) {
    ENTER_DEVICE(device);
    REQUIRE(stats);
    if (!keeps_accounts(call.gpu)) return NVML_ERROR_NOT_SUPPORTED;
    const Process *process = find(&call, pid);
    if (process == NULL) return NVML_ERROR_NOT_FOUND;
    nvmlAccountingStats_v2_t known = account(&call, process);
    *stats = (nvmlAccountingStats_t){.gpuUtilization = known.gpuUtilization,
                                     .maxMemoryUsage = known.maxMemoryUsage,
                                     .time = known.time,
                                     .startTime = known.startTime,
                                     .isRunning = known.isRunning};
    return NVML_SUCCESS;
}
