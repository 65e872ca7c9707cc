/* Calls about processes: who holds a context, and who was busy. */
#include <stdlib.h>

#include "machine.h"

enum { SIZING_ROWS = 100 }; /* what drivers answer when asked how many rows there may be */

static nvmlProcessInfo_t describe(const Process *process, unsigned int pid) {
    bool partitioned = process->instance != NO_INSTANCE;
    return (nvmlProcessInfo_t){.pid = pid,
                               .usedGpuMemory = process->memory_bytes,
                               .gpuInstanceId = process->instance,
                               .computeInstanceId = partitioned ? 0 : NO_INSTANCE};
}

static unsigned int list_processes(const Call *call, unsigned int kind, unsigned int room, nvmlProcessInfo_t *infos) {
    unsigned int count = 0;
    for (size_t i = 0; i < call->gpu->process_count; i++) {
        const Process *process = &call->gpu->processes[i];
        unsigned int pid = (process->kinds & kind) != 0 ? present_pid(process, call->now_s) : 0;
        if (pid == 0) continue;
        if (count < room) infos[count] = describe(process, pid);
        count++;
    }
    return count;
}

static nvmlReturn_t answer_list(const Call *call, unsigned int kind, unsigned int *count, nvmlProcessInfo_t *infos) {
    REQUIRE(count);
    unsigned int room = infos == NULL ? 0 : *count;
    *count = list_processes(call, kind, room, infos);
    return *count > room ? NVML_ERROR_INSUFFICIENT_SIZE : NVML_SUCCESS;
}

#define RUNNING_PROCESSES(name, kind)                                                                        \
    nvmlReturn_t name(nvmlDevice_t device, unsigned int *count, nvmlProcessInfo_t *infos) {                  \
        ENTER_DEVICE(device);                                                                                \
        return answer_list(&call, kind, count, infos);                                                       \
    }

/* Versions 2 and 3 share one layout. */
RUNNING_PROCESSES(nvmlDeviceGetComputeRunningProcesses_v2, KIND_COMPUTE)
RUNNING_PROCESSES(nvmlDeviceGetComputeRunningProcesses_v3, KIND_COMPUTE)
RUNNING_PROCESSES(nvmlDeviceGetGraphicsRunningProcesses_v2, KIND_GRAPHICS)
RUNNING_PROCESSES(nvmlDeviceGetGraphicsRunningProcesses_v3, KIND_GRAPHICS)
RUNNING_PROCESSES(nvmlDeviceGetMPSComputeRunningProcesses_v2, KIND_MPS)
RUNNING_PROCESSES(nvmlDeviceGetMPSComputeRunningProcesses_v3, KIND_MPS)

/* Rows for a caller with `room` of them; *rows has at least *count items, and the caller frees it. */
static nvmlReturn_t collect_rows(const Call *call, unsigned long long last_seen_us, unsigned int room,
                                 unsigned int *count, nvmlProcessUtilizationSample_t **rows) {
    const Sampler *sampler = &call->gpu->sampler;
    *rows = NULL;
    if (call->gpu->mig == MIG_ON) return NVML_ERROR_NOT_SUPPORTED;
    *count = (unsigned int)sample_rows(call->machine, call->gpu, call->now_s, last_seen_us, rows);
    if (*count == 0 && !(sampler->zero_rows && room > 0)) return NVML_ERROR_NOT_FOUND;
    if (*count > room) return NVML_ERROR_INSUFFICIENT_SIZE;
    if (!sampler->zero_rows) return NVML_SUCCESS;
    *rows = realloc(*rows, room * sizeof **rows);
    for (unsigned int i = *count; i < room; i++) (*rows)[i] = (nvmlProcessUtilizationSample_t){0};
    *count = room;
    return NVML_SUCCESS;
}

static nvmlReturn_t answer_sizing(const Call *call, unsigned int *count) {
    if (call->gpu->mig == MIG_ON) return NVML_ERROR_NOT_SUPPORTED;
    *count = SIZING_ROWS;
    if (call->gpu->sampler.sizing_success) return NVML_SUCCESS;
    *count += (unsigned int)call->gpu->process_count + call->gpu->sampler.garbage_rows;
    return NVML_ERROR_INSUFFICIENT_SIZE;
}

nvmlReturn_t nvmlDeviceGetProcessUtilization(nvmlDevice_t device, nvmlProcessUtilizationSample_t *samples,
                                             unsigned int *count, unsigned long long last_seen_us) {
    ENTER_DEVICE(device);
    REQUIRE(count);
    if (samples == NULL) return answer_sizing(&call, count);
    nvmlProcessUtilizationSample_t *rows;
    nvmlReturn_t code = collect_rows(&call, last_seen_us, *count, count, &rows);
    for (unsigned int i = 0; code == NVML_SUCCESS && i < *count; i++) samples[i] = rows[i];
    free(rows);
    return code;
}

static nvmlProcessUtilizationInfo_v1_t widen(const nvmlProcessUtilizationSample_t *row) {
    return (nvmlProcessUtilizationInfo_v1_t){.timeStamp = row->timeStamp, .pid = row->pid, .smUtil = row->smUtil};
}

nvmlReturn_t nvmlDeviceGetProcessesUtilizationInfo(nvmlDevice_t device, nvmlProcessesUtilizationInfo_v1_t *info) {
    ENTER_DEVICE(device);
    REQUIRE(info);
    if (info->version != PROCESSES_UTILIZATION_V1) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    unsigned int *count = &info->processSamplesCount;
    if (info->procUtilArray == NULL) return answer_sizing(&call, count);
    nvmlProcessUtilizationSample_t *rows;
    nvmlReturn_t code = collect_rows(&call, info->lastSeenTimeStamp, *count, count, &rows);
    for (unsigned int i = 0; code == NVML_SUCCESS && i < *count; i++) info->procUtilArray[i] = widen(&rows[i]);
    free(rows);
    return code;
}
