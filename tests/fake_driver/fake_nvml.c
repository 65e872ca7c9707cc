/* A fake of NVIDIA's management library, for tests only: lifecycle and calls about the whole system. */
#include <string.h>

#include "machine.h"

static nvmlReturn_t initialise(const char *function) {
    const Machine *machine = machine_now();
    if (machine == NULL) return NVML_ERROR_UNKNOWN;
    Call call = begin_call(function, NULL, machine);
    if (call.result != NVML_SUCCESS) return call.result;
    if (machine->init_code != NVML_SUCCESS) return machine->init_code;
    session_join(machine);
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlInit_v2(void) {
    return initialise(__func__);
}

nvmlReturn_t nvmlInitWithFlags(unsigned int flags) {
    (void)flags;
    return initialise(__func__);
}

/* A stale session is left like any other. */
nvmlReturn_t nvmlShutdown(void) {
    Session session = session_now();
    if (session.machine == NULL) return NVML_ERROR_UNINITIALIZED;
    Call call = begin_call(__func__, NULL, session.machine);
    if (call.result == NVML_SUCCESS) session_leave();
    return call.result;
}

const char *nvmlErrorString(nvmlReturn_t code) {
    static const char *const TEXTS[] = {
        "Success", "Uninitialized", "Invalid Argument", "Not Supported", "Insufficient Permissions",
        "Already Initialized", "Not Found", "Insufficient Size", "Insufficient External Power",
        "Driver Not Loaded", "Timeout", "Interrupt Request Issue", "NVML Shared Library Not Found",
        "Function Not Found", "Corrupted infoROM", "GPU is lost", "GPU requires reset",
        "The operating system has blocked the request", "RM has detected an NVML/RM version mismatch.",
        "In use by another client", "Insufficient Memory", "No data",
    };
    if (code < 0 || (size_t)code >= sizeof TEXTS / sizeof *TEXTS) return "Unknown Error";
    return TEXTS[code];
}

nvmlReturn_t nvmlSystemGetDriverVersion(char *version, unsigned int length) {
    ENTER_SYSTEM();
    return answer_text(call.machine->driver, version, length);
}

nvmlReturn_t nvmlSystemGetNVMLVersion(char *version, unsigned int length) {
    ENTER_SYSTEM();
    return answer_text(call.machine->nvml, version, length);
}

nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int *version) {
    ENTER_SYSTEM();
    REQUIRE(version);
    *version = call.machine->cuda;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlSystemGetCudaDriverVersion(int *version) {
    return nvmlSystemGetCudaDriverVersion_v2(version);
}

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *count) {
    ENTER_SYSTEM();
    REQUIRE(count);
    *count = (unsigned int)call.machine->gpu_count;
    return NVML_SUCCESS;
}

static nvmlReturn_t answer_device(const Call *call, const Gpu *gpu, nvmlDevice_t *device) {
    nvmlReturn_t code = device_fault(call, gpu);
    if (code == NVML_SUCCESS) *device = gpu;
    return code;
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
    ENTER_SYSTEM();
    REQUIRE(device);
    if (index >= call.machine->gpu_count) return NVML_ERROR_INVALID_ARGUMENT;
    return answer_device(&call, &call.machine->gpus[index], device);
}

nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *uuid, nvmlDevice_t *device) {
    ENTER_SYSTEM();
    REQUIRE(uuid);
    REQUIRE(device);
    for (size_t i = 0; i < call.machine->gpu_count; i++) {
        if (strcmp(call.machine->gpus[i].uuid, uuid) == 0) return answer_device(&call, &call.machine->gpus[i], device);
    }
    return NVML_ERROR_NOT_FOUND;
}

nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char *bus_id, nvmlDevice_t *device) {
    ENTER_SYSTEM();
    REQUIRE(bus_id);
    REQUIRE(device);
    for (size_t i = 0; i < call.machine->gpu_count; i++) {
        const Gpu *gpu = &call.machine->gpus[i];
        if (strcmp(gpu->pci_bus_id, bus_id) == 0) return answer_device(&call, gpu, device);
    }
    return NVML_ERROR_NOT_FOUND;
}
