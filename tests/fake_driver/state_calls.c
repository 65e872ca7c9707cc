/* Calls about what a device does beside computing, which other programs ask for: plausible constants. */
#include "machine.h"

static nvmlReturn_t answer(unsigned int number, unsigned int *target) {
    REQUIRE(target);
    *target = number;
    return NVML_SUCCESS;
}

/* The video engines idle; their utilisation is sampled over 167 ms. */
#define ENGINE_UTILIZATION(name)                                                                             \
    nvmlReturn_t name(nvmlDevice_t device, unsigned int *percent, unsigned int *period_us) {                 \
        ENTER_DEVICE(device);                                                                                \
        REQUIRE(period_us);                                                                                  \
        *period_us = 167000;                                                                                 \
        return answer(0, percent);                                                                           \
    }
ENGINE_UTILIZATION(nvmlDeviceGetEncoderUtilization)
ENGINE_UTILIZATION(nvmlDeviceGetDecoderUtilization)

/* Boards for servers have no fan. */
nvmlReturn_t nvmlDeviceGetFanSpeed(nvmlDevice_t device, unsigned int *percent) {
    ENTER_DEVICE(device);
    REQUIRE(percent);
    return NVML_ERROR_NOT_SUPPORTED;
}

/* Kilobytes per second; the real call takes at least 20 ms, this one does not. */
nvmlReturn_t nvmlDeviceGetPcieThroughput(nvmlDevice_t device, unsigned int counter, unsigned int *kb_per_s) {
    ENTER_DEVICE(device);
    if (counter > 1) return NVML_ERROR_INVALID_ARGUMENT;
    return answer(1000 * (counter + 1), kb_per_s);
}

/* 0: shared by all who want it. */
nvmlReturn_t nvmlDeviceGetComputeMode(nvmlDevice_t device, unsigned int *mode) {
    ENTER_DEVICE(device);
    return answer(0, mode);
}
