/* Closed forms of the scripted power: no step size, so no error that a test could mistake for the meter's. */
#include <math.h>

#include "machine.h"

/* Seconds for which a square wave that began at 0 was on until x_s >= 0. */
static double on_time_s(const Shape *shape, double x_s) {
    double on_s = shape->duty * shape->period_s;
    double periods = floor(x_s / shape->period_s);
    double rest_s = fmax(x_s - periods * shape->period_s, 0.0);
    return periods * on_s + fmin(rest_s, on_s);
}

static double ramp_level(const Shape *shape, double at_s) {
    double part = (at_s - shape->start_s) / (shape->end_s - shape->start_s);
    return shape->level + part * (shape->last_level - shape->level);
}

static double shape_integral(const Shape *shape, double from_s, double to_s) {
    double low_s = fmax(from_s, shape->start_s);
    double high_s = fmin(to_s, shape->end_s);
    if (high_s <= low_s) return 0.0;
    switch (shape->kind) {
    case SHAPE_SQUARE:
        return shape->level * (on_time_s(shape, high_s - shape->start_s) - on_time_s(shape, low_s - shape->start_s));
    case SHAPE_RAMP:
        return (high_s - low_s) * (ramp_level(shape, low_s) + ramp_level(shape, high_s)) / 2.0;
    default:
        return shape->level * (high_s - low_s);
    }
}

double shapes_integral(const Shapes *shapes, double from_s, double to_s) {
    if (to_s < from_s) return -shapes_integral(shapes, to_s, from_s);
    double sum = 0.0;
    for (size_t i = 0; i < shapes->count; i++) sum += shape_integral(&shapes->items[i], from_s, to_s);
    return sum;
}

/* What the card's own shunt believes: the truth with the card's gain and offset. */
double metered_energy_j(const Gpu *gpu, double from_s, double to_s) {
    double true_j = gpu->idle_w * (to_s - from_s) + shapes_integral(&gpu->power, from_s, to_s);
    return gpu->gain * true_j + gpu->offset_w * (to_s - from_s);
}
