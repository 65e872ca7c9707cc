/* Calls about one device: who it is, what it can, how it fares. */
#include <stdio.h>
#include <string.h>

#include "machine.h"

static nvmlReturn_t answer_number(unsigned int number, unsigned int *answer) {
    REQUIRE(answer);
    *answer = number;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *name, unsigned int length) {
    ENTER_DEVICE(device);
    return answer_text(call.gpu->name, name, length);
}

nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *uuid, unsigned int length) {
    ENTER_DEVICE(device);
    return answer_text(call.gpu->uuid, uuid, length);
}

nvmlReturn_t nvmlDeviceGetIndex(nvmlDevice_t device, unsigned int *index) {
    ENTER_DEVICE(device);
    return answer_number(call.gpu->index, index);
}

nvmlReturn_t nvmlDeviceGetMinorNumber(nvmlDevice_t device, unsigned int *minor) {
    ENTER_DEVICE(device);
    return answer_number(call.gpu->minor, minor);
}

nvmlReturn_t nvmlDeviceGetArchitecture(nvmlDevice_t device, unsigned int *architecture) {
    ENTER_DEVICE(device);
    return answer_number(call.gpu->architecture, architecture);
}

nvmlReturn_t nvmlDeviceGetPersistenceMode(nvmlDevice_t device, unsigned int *mode) {
    ENTER_DEVICE(device);
    return answer_number(call.gpu->persistence ? 1 : 0, mode);
}

nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned int *current, unsigned int *pending) {
    ENTER_DEVICE(device);
    REQUIRE(pending);
    if (call.gpu->mig == MIG_UNSUPPORTED) return NVML_ERROR_NOT_SUPPORTED;
    *pending = call.gpu->mig == MIG_ON;
    return answer_number(*pending, current);
}

/* The address inside "DOMAIN:BUS:DEVICE.FUNCTION"; the legacy form has a domain of four digits. */
static void fill_pci(const Gpu *gpu, nvmlPciInfo_t *info) {
    unsigned int function = 0;
    *info = (nvmlPciInfo_t){.pciDeviceId = gpu->pci_device_id, .pciSubSystemId = gpu->pci_subsystem_id};
    sscanf(gpu->pci_bus_id, "%x:%x:%x.%x", &info->domain, &info->bus, &info->device, &function);
    snprintf(info->busId, sizeof info->busId, "%.31s", gpu->pci_bus_id);
    snprintf(info->busIdLegacy, sizeof info->busIdLegacy, "%04X:%02X:%02X.%X", info->domain & 0xFFFF,
             info->bus & 0xFF, info->device & 0xFF, function & 0xF);
}

nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *info) {
    ENTER_DEVICE(device);
    REQUIRE(info);
    fill_pci(call.gpu, info);
    return NVML_SUCCESS;
}

static unsigned long long used_memory(const Call *call) {
    unsigned long long sum = 0;
    for (size_t i = 0; i < call->gpu->process_count; i++) {
        const Process *process = &call->gpu->processes[i];
        if (present_pid(process, call->now_s) != 0) sum += process->memory_bytes;
    }
    return sum < call->gpu->memory_bytes ? sum : call->gpu->memory_bytes;
}

nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
    ENTER_DEVICE(device);
    REQUIRE(memory);
    unsigned long long used = used_memory(&call);
    *memory = (nvmlMemory_t){.total = call.gpu->memory_bytes, .used = used, .free = call.gpu->memory_bytes - used};
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, nvmlMemory_v2_t *memory) {
    ENTER_DEVICE(device);
    REQUIRE(memory);
    if (memory->version != MEMORY_V2) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    memory->total = call.gpu->memory_bytes;
    memory->reserved = 0;
    memory->used = used_memory(&call);
    memory->free = memory->total - memory->used;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *rates) {
    ENTER_DEVICE(device);
    REQUIRE(rates);
    if (call.gpu->mig == MIG_ON) return NVML_ERROR_NOT_SUPPORTED;
    *rates = (nvmlUtilization_t){.gpu = engine_busy_percent(call.gpu, call.now_s)};
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetPerformanceState(nvmlDevice_t device, unsigned int *state) {
    ENTER_DEVICE(device);
    return answer_number(engine_busy_percent(call.gpu, call.now_s) > 0 ? 0 : 8, state);
}

/* Plausible constants in MHz for graphics, SM, memory and video. */
nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t device, unsigned int type, unsigned int *clock_mhz) {
    static const unsigned int CLOCKS_MHZ[] = {1980, 1980, 2619, 1545};
    ENTER_DEVICE(device);
    if (type >= sizeof CLOCKS_MHZ / sizeof *CLOCKS_MHZ) return NVML_ERROR_INVALID_ARGUMENT;
    return answer_number(CLOCKS_MHZ[type], clock_mhz);
}

/* 30 degrees and 1 more for each 10 W of idle power: present, constant, of no physical meaning. */
nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, unsigned int sensor, unsigned int *celsius) {
    ENTER_DEVICE(device);
    if (sensor != 0) return NVML_ERROR_INVALID_ARGUMENT;
    return answer_number(30 + (unsigned int)(call.gpu->idle_w / 10.0), celsius);
}
