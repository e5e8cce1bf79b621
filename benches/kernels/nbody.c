/*
 * n steps of the Sun and four planets under gravity: f64 arithmetic in long dependency chains,
 * with divisions and square roots. Units: astronomical unit, day, solar mass.
 */
#include "kernel.h"

#define BODIES 5
#define GRAVITY 2.9591220828559093e-4
#define STEP_DAYS 1.0

struct body {
    double x, y, z, vx, vy, vz, mass;
};

static struct body bodies[BODIES];

/* Circular orbits, tilted a little so that the third dimension takes part. */
static void place_bodies(void)
{
    static const double radius[BODIES] = {0.0, 5.2, 9.58, 19.2, 30.05};
    static const double mass[BODIES] = {1.0, 9.55e-4, 2.86e-4, 4.37e-5, 5.15e-5};
    for (int32_t i = 0; i < BODIES; i++) {
        struct body *body = &bodies[i];
        double speed = i == 0 ? 0.0 : __builtin_sqrt(GRAVITY / radius[i]);
        double side = i % 2 == 0 ? 1.0 : -1.0;
        body->x = radius[i] * 0.8 * side;
        body->y = radius[i] * 0.6;
        body->z = radius[i] * 0.01 * side;
        body->vx = -speed * 0.6;
        body->vy = speed * 0.8 * side;
        body->vz = speed * 0.001;
        body->mass = mass[i];
    }
}

static NOINLINE void advance(void)
{
    for (int32_t i = 0; i < BODIES; i++) {
        struct body *p = &bodies[i];
        for (int32_t j = i + 1; j < BODIES; j++) {
            struct body *q = &bodies[j];
            double dx = p->x - q->x;
            double dy = p->y - q->y;
            double dz = p->z - q->z;
            double square = dx * dx + dy * dy + dz * dz;
            double pull = GRAVITY * STEP_DAYS / (square * __builtin_sqrt(square));
            p->vx -= dx * q->mass * pull;
            p->vy -= dy * q->mass * pull;
            p->vz -= dz * q->mass * pull;
            q->vx += dx * p->mass * pull;
            q->vy += dy * p->mass * pull;
            q->vz += dz * p->mass * pull;
        }
    }
    for (int32_t i = 0; i < BODIES; i++) {
        struct body *p = &bodies[i];
        p->x += p->vx * STEP_DAYS;
        p->y += p->vy * STEP_DAYS;
        p->z += p->vz * STEP_DAYS;
    }
}

EXPORT int64_t run(int32_t n)
{
    uint64_t hash = HASH_SEED;
    place_bodies();
    for (int32_t step = 0; step < n; step++) {
        advance();
    }
    for (int32_t i = 0; i < BODIES; i++) {
        hash = hash_word(hash, bits_of_f64(bodies[i].x));
        hash = hash_word(hash, bits_of_f64(bodies[i].y));
        hash = hash_word(hash, bits_of_f64(bodies[i].z));
    }
    return (int64_t)hash;
}
