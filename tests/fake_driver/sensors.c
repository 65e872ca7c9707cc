/* The energy counter and the power sensors: what was last published, never what is true now. */
#include <math.h>

#include "machine.h"

static double last_publish_s(double period_s, double phase_s, double now_s) {
    if (period_s <= 0.0) return now_s;
    return phase_s + floor((now_s - phase_s) / period_s) * period_s;
}

static double mean_power_w(const Gpu *gpu, double end_s, double window_s) {
    return metered_energy_j(gpu, end_s - window_s, end_s) / window_s;
}

static double mean_of_samples_w(const Gpu *gpu, const PowerSensor *sensor, double end_s) {
    int count = (int)fmax(1.0, round(sensor->window_s / sensor->period_s));
    double sum_w = 0.0;
    for (int i = 0; i < count; i++) sum_w += mean_power_w(gpu, end_s - i * sensor->period_s, sensor->sample_s);
    return sum_w / count;
}

double power_reading_w(const Gpu *gpu, const PowerSensor *sensor, double now_s) {
    double at_s = last_publish_s(sensor->period_s, sensor->phase_s, now_s);
    double power_w =
        sensor->sample_s > 0.0 ? mean_of_samples_w(gpu, sensor, at_s) : mean_power_w(gpu, at_s, sensor->window_s);
    return fmax(power_w, 0.0);
}

/* A stuck counter shows what it showed when it got stuck. */
static double held_time_s(const Spans *stuck, double now_s) {
    for (size_t i = 0; i < stuck->count; i++) {
        if (stuck->items[i].start_s <= now_s && now_s < stuck->items[i].end_s) return stuck->items[i].start_s;
    }
    return now_s;
}

static double last_reset_s(const Gpu *gpu, double now_s) {
    double last_s = -INFINITY;
    for (size_t i = 0; i < gpu->reset_count; i++) {
        if (gpu->resets_s[i] <= now_s) last_s = fmax(last_s, gpu->resets_s[i]);
    }
    return last_s;
}

static double jumps_mj(const Gpu *gpu, double reset_s, double to_s) {
    double sum_mj = 0.0;
    for (size_t i = 0; i < gpu->jump_count; i++) {
        if (gpu->jumps[i].at_s > reset_s && gpu->jumps[i].at_s <= to_s) sum_mj += gpu->jumps[i].amount_mj;
    }
    return sum_mj;
}

/* Each period counts as if all of it were like its measured part. */
static double parttime_energy_j(const Gpu *gpu, double from_s, double to_s) {
    const EnergyCounter *counter = &gpu->energy;
    long periods = (long)floor((to_s - from_s) / counter->period_s + 1e-9);
    double sum_j = 0.0;
    for (long i = 0; i < periods; i++) {
        sum_j += counter->period_s * mean_power_w(gpu, to_s - (double)i * counter->period_s, counter->window_s);
    }
    return sum_j;
}

static double counted_energy_j(const Gpu *gpu, double from_s, double to_s) {
    if (gpu->energy.mode == ENERGY_PARTTIME) return parttime_energy_j(gpu, from_s, to_s);
    return metered_energy_j(gpu, from_s, to_s);
}

uint64_t energy_counter_mj(const Gpu *gpu, double now_s, double extra_w) {
    const EnergyCounter *counter = &gpu->energy;
    if (counter->mode == ENERGY_CONSTANT) return (uint64_t)counter->base_mj;
    double seen_s = held_time_s(&gpu->stuck, now_s);
    double reset_s = last_reset_s(gpu, seen_s);
    bool fresh = isfinite(reset_s);
    double from_s = fresh ? reset_s : 0.0;
    double to_s = last_publish_s(counter->period_s, counter->phase_s, seen_s);
    if (fresh) to_s = fmax(to_s, from_s);
    double energy_j = counted_energy_j(gpu, from_s, to_s) + extra_w * (to_s - from_s);
    double total_mj = (fresh ? 0.0 : counter->base_mj) + 1000.0 * energy_j + jumps_mj(gpu, reset_s, to_s);
    return (uint64_t)fmin(fmax(total_mj, 0.0), 9e18); /* a cast of more would be undefined */
}
