/* Calls about energy and power, one by one and as fields. */
#include <math.h>

#include "machine.h"

static unsigned int milliwatts(double power_w) {
    return (unsigned int)llround(fmin(fmax(power_w, 0.0) * 1000.0, UINT32_MAX));
}

nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device, unsigned long long *energy_mj) {
    ENTER_DEVICE(device);
    REQUIRE(energy_mj);
    if (call.gpu->energy.mode == ENERGY_NONE) return NVML_ERROR_NOT_SUPPORTED;
    *energy_mj = energy_counter_mj(call.gpu, call.now_s, 0.0);
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned int *power_mw) {
    ENTER_DEVICE(device);
    REQUIRE(power_mw);
    const PowerSensor *sensor = call.gpu->draw_is_average ? &call.gpu->average : &call.gpu->instant;
    if (!sensor->supported) return NVML_ERROR_NOT_SUPPORTED;
    *power_mw = milliwatts(power_reading_w(call.gpu, sensor, call.now_s));
    return NVML_SUCCESS;
}

static nvmlReturn_t answer_limit(unsigned int limit_mw, unsigned int *answer_mw) {
    REQUIRE(answer_mw);
    if (limit_mw == 0) return NVML_ERROR_NOT_SUPPORTED;
    *answer_mw = limit_mw;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetPowerManagementLimit(nvmlDevice_t device, unsigned int *limit_mw) {
    ENTER_DEVICE(device);
    return answer_limit(call.gpu->limit_current_mw, limit_mw);
}

nvmlReturn_t nvmlDeviceGetPowerManagementDefaultLimit(nvmlDevice_t device, unsigned int *limit_mw) {
    ENTER_DEVICE(device);
    return answer_limit(call.gpu->limit_default_mw, limit_mw);
}

nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned int *limit_mw) {
    ENTER_DEVICE(device);
    return answer_limit(call.gpu->limit_current_mw, limit_mw);
}

nvmlReturn_t nvmlDeviceGetPowerManagementLimitConstraints(nvmlDevice_t device, unsigned int *min_mw,
                                                          unsigned int *max_mw) {
    ENTER_DEVICE(device);
    nvmlReturn_t code = answer_limit(call.gpu->limit_min_mw, min_mw);
    return code != NVML_SUCCESS ? code : answer_limit(call.gpu->limit_max_mw, max_mw);
}

/* No buffer of old samples: callers have to live without it. */
nvmlReturn_t nvmlDeviceGetSamples(nvmlDevice_t device, unsigned int type, unsigned long long last_seen_us,
                                  int *value_type, unsigned int *count, void *samples) {
    (void)type, (void)last_seen_us, (void)value_type, (void)count, (void)samples;
    ENTER_DEVICE(device);
    return NVML_ERROR_NOT_SUPPORTED;
}

static nvmlReturn_t answer_unsigned(nvmlFieldValue_t *field, unsigned int value) {
    field->valueType = VALUE_UNSIGNED_INT;
    field->value.uiVal = value;
    return NVML_SUCCESS;
}

static nvmlReturn_t answer_energy(const Call *call, nvmlFieldValue_t *field) {
    const Gpu *gpu = call->gpu;
    bool module = field->fieldId == FIELD_ENERGY && field->scopeId == SCOPE_MODULE;
    if (gpu->energy.mode == ENERGY_NONE) return NVML_ERROR_NOT_SUPPORTED;
    field->valueType = VALUE_UNSIGNED_LONG_LONG;
    field->value.ullVal = energy_counter_mj(gpu, call->now_s, module ? gpu->module_w : 0.0);
    return NVML_SUCCESS;
}

static nvmlReturn_t answer_power(const Call *call, nvmlFieldValue_t *field, const PowerSensor *sensor) {
    if (!sensor->supported) return NVML_ERROR_NOT_SUPPORTED;
    double power_w = power_reading_w(call->gpu, sensor, call->now_s);
    if (field->scopeId == SCOPE_MODULE) power_w += call->gpu->module_w;
    if (field->scopeId == SCOPE_MEMORY) power_w *= call->gpu->memory_share;
    return answer_unsigned(field, milliwatts(power_w));
}

static nvmlReturn_t check_scope(const Gpu *gpu, const nvmlFieldValue_t *field) {
    switch (field->scopeId) {
    case SCOPE_GPU:
        return gpu->gpu_scope || field->fieldId == FIELD_TOTAL_ENERGY ? NVML_SUCCESS : NVML_ERROR_NOT_SUPPORTED;
    case SCOPE_MODULE:
        return gpu->module_w >= 0.0 && field->fieldId != FIELD_TOTAL_ENERGY ? NVML_SUCCESS : NVML_ERROR_NOT_SUPPORTED;
    case SCOPE_MEMORY: /* average only, as on the cards that have it */
        return gpu->memory_share >= 0.0 && field->fieldId == FIELD_POWER_AVERAGE ? NVML_SUCCESS
                                                                                 : NVML_ERROR_NOT_SUPPORTED;
    default:
        return field->scopeId < SCOPE_COUNT ? NVML_ERROR_NOT_SUPPORTED : NVML_ERROR_INVALID_ARGUMENT;
    }
}

static nvmlReturn_t answer_metered_field(const Call *call, nvmlFieldValue_t *field) {
    nvmlReturn_t scope = check_scope(call->gpu, field);
    if (scope != NVML_SUCCESS) return scope;
    if (field->fieldId == FIELD_POWER_AVERAGE) return answer_power(call, field, &call->gpu->average);
    if (field->fieldId == FIELD_POWER_INSTANT) return answer_power(call, field, &call->gpu->instant);
    return answer_energy(call, field);
}

static nvmlReturn_t answer_field(const Call *call, nvmlFieldValue_t *field) {
    nvmlReturn_t fault = field_fault(call, field->fieldId);
    if (fault != NVML_SUCCESS) return fault;
    switch (field->fieldId) {
    case FIELD_TOTAL_ENERGY:
    case FIELD_ENERGY:
    case FIELD_POWER_AVERAGE:
    case FIELD_POWER_INSTANT:
        return answer_metered_field(call, field);
    case FIELD_LIMIT_MIN:
        return answer_unsigned(field, call->gpu->limit_min_mw);
    case FIELD_LIMIT_MAX:
        return answer_unsigned(field, call->gpu->limit_max_mw);
    case FIELD_LIMIT_DEFAULT:
        return answer_unsigned(field, call->gpu->limit_default_mw);
    case FIELD_LIMIT_CURRENT:
        return answer_unsigned(field, call->gpu->limit_current_mw);
    default:
        return field->fieldId > 0 && field->fieldId < FIELD_COUNT ? NVML_ERROR_NOT_SUPPORTED
                                                                  : NVML_ERROR_INVALID_ARGUMENT;
    }
}

nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t device, int count, nvmlFieldValue_t *fields) {
    ENTER_DEVICE(device);
    REQUIRE(fields);
    if (count < 1) return NVML_ERROR_INVALID_ARGUMENT;
    long long latency_us = llround((call.now_s - call.began_s) * 1e6);
    for (int i = 0; i < count; i++) {
        fields[i].timestamp = llround(unix_at_s(call.machine, call.now_s) * 1e6);
        fields[i].latencyUsec = latency_us;
        fields[i].nvmlReturn = answer_field(&call, &fields[i]);
    }
    return NVML_SUCCESS;
}
