/* MIG: the instances of a GPU, and how busy each is between two samples of the performance monitor (GPM). */
#include <math.h>
#include <stdlib.h>

#include "machine.h"

enum { MIG_SLICES = 7, FIRST_WITH_GPM = 9 };

struct GpmSample {
    const Instance *instance; /* NULL until it was filled */
    double at_s;
};

nvmlReturn_t nvmlDeviceGetMaxMigDeviceCount(nvmlDevice_t device, unsigned int *count) {
    ENTER_DEVICE(device);
    REQUIRE(count);
    *count = call.gpu->mig == MIG_UNSUPPORTED ? 0 : MIG_SLICES;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t device, unsigned int index, const Instance **instance) {
    ENTER_DEVICE(device);
    REQUIRE(instance);
    if (call.gpu->mig != MIG_ON) return NVML_ERROR_NOT_SUPPORTED;
    if (index >= call.gpu->instance_count) return NVML_ERROR_NOT_FOUND;
    *instance = &call.gpu->instances[index];
    return NVML_SUCCESS;
}

/* The instance whose handle it is, with its GPU entered as any device is. */
static Call enter_instance(const char *function, const Instance *instance) {
    const Machine *machine = session_now().machine;
    for (size_t i = 0; machine != NULL && i < machine->gpu_count; i++) {
        const Gpu *gpu = &machine->gpus[i];
        for (size_t k = 0; k < gpu->instance_count; k++) {
            if (instance == &gpu->instances[k]) return begin_call(function, gpu, machine);
        }
    }
    return enter_device(function, NULL);
}

#define ENTER_INSTANCE(instance)                                                                             \
    Call call = enter_instance(__func__, instance);                                                          \
    if (call.result != NVML_SUCCESS) return call.result

nvmlReturn_t nvmlDeviceGetGpuInstanceId(const Instance *instance, unsigned int *id) {
    ENTER_INSTANCE(instance);
    REQUIRE(id);
    *id = instance->id;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetAttributes_v2(const Instance *instance, nvmlDeviceAttributes_t *attributes) {
    ENTER_INSTANCE(instance);
    REQUIRE(attributes);
    *attributes = (nvmlDeviceAttributes_t){.multiprocessorCount = 16 * instance->slices,
                                           .gpuInstanceSliceCount = instance->slices,
                                           .computeInstanceSliceCount = instance->slices};
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlGpmQueryDeviceSupport(nvmlDevice_t device, nvmlGpmSupport_t *support) {
    ENTER_DEVICE(device);
    REQUIRE(support);
    if (support->version != GPM_VERSION) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    support->isSupportedDevice = call.gpu->architecture >= FIRST_WITH_GPM;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlGpmSampleAlloc(nvmlGpmSample_t *sample) {
    ENTER_SYSTEM();
    REQUIRE(sample);
    *sample = calloc(1, sizeof **sample);
    return *sample == NULL ? NVML_ERROR_UNKNOWN : NVML_SUCCESS;
}

nvmlReturn_t nvmlGpmSampleFree(nvmlGpmSample_t sample) {
    ENTER_SYSTEM();
    REQUIRE(sample);
    free(sample);
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlGpmMigSampleGet(nvmlDevice_t device, unsigned int instance_id, nvmlGpmSample_t sample) {
    ENTER_DEVICE(device);
    REQUIRE(sample);
    if (call.gpu->mig != MIG_ON || call.gpu->architecture < FIRST_WITH_GPM) return NVML_ERROR_NOT_SUPPORTED;
    for (size_t i = 0; i < call.gpu->instance_count; i++) {
        if (call.gpu->instances[i].id != instance_id) continue;
        *sample = (struct GpmSample){.instance = &call.gpu->instances[i], .at_s = call.now_s};
        return NVML_SUCCESS;
    }
    return NVML_ERROR_INVALID_ARGUMENT;
}

static int measure_of(unsigned int metric) {
    switch (metric) {
    case GPM_GRAPHICS: return 0;
    case GPM_SM: return 1;
    case GPM_TENSOR: return 2;
    case GPM_DRAM: return 3;
    default: return -1;
    }
}

/* The mean between the samples, in percent of the instance. */
static void fill(nvmlGpmMetric_t *metric, nvmlGpmSample_t first, nvmlGpmSample_t last) {
    int measure = measure_of(metric->metricId);
    metric->nvmlReturn = measure < 0 ? NVML_ERROR_NOT_SUPPORTED : NVML_SUCCESS;
    if (measure < 0) return;
    const Shapes *shapes = &first->instance->measures[measure];
    metric->value = shapes_integral(shapes, first->at_s, last->at_s) / (last->at_s - first->at_s);
}

nvmlReturn_t nvmlGpmMetricsGet(nvmlGpmMetricsGet_t *get) {
    ENTER_SYSTEM();
    REQUIRE(get);
    if (get->version != GPM_VERSION) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    nvmlGpmSample_t first = get->sample1, last = get->sample2;
    bool usable = first != NULL && last != NULL && first->instance != NULL && first->instance == last->instance;
    if (!usable || last->at_s <= first->at_s) return NVML_ERROR_INVALID_ARGUMENT;
    for (unsigned int i = 0; i < get->numMetrics; i++) fill(&get->metrics[i], first, last);
    return NVML_SUCCESS;
}
