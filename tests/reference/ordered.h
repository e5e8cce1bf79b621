/* The probes print through a macro P and were recorded with a compiler that evaluates arguments
 * from left to right. gcc goes from right to left, so P is replaced by one with an order. */
#define P_1(f) printf(f)
#define P_2(f, a) printf(f, a)
#define P_3(f, a, b) ORDERED(FIRST(a) SECOND(b) printf(f, p1, p2))
#define P_4(f, a, b, c) ORDERED(FIRST(a) SECOND(b) THIRD(c) printf(f, p1, p2, p3))
#define P_5(f, a, b, c, d) \
    ORDERED(FIRST(a) SECOND(b) THIRD(c) FOURTH(d) printf(f, p1, p2, p3, p4))
#define P_6(f, a, b, c, d, e) \
    ORDERED(FIRST(a) SECOND(b) THIRD(c) FOURTH(d) FIFTH(e) printf(f, p1, p2, p3, p4, p5))
#define P_8(f, a, b, c, d, e, g, h)                                                \
    ORDERED(FIRST(a) SECOND(b) THIRD(c) FOURTH(d) FIFTH(e) __auto_type p6 = (g); \
            printf(f, p1, p2, p3, p4, p5, p6, h))

#define ORDERED(...) ({ __VA_ARGS__; })
#define FIRST(x) __auto_type p1 = (x);
#define SECOND(x) __auto_type p2 = (x);
#define THIRD(x) __auto_type p3 = (x);
#define FOURTH(x) __auto_type p4 = (x);
#define FIFTH(x) __auto_type p5 = (x);

#define P_FOR_COUNT(_1, _2, _3, _4, _5, _6, _7, _8, count, ...) P_##count
#define P(...)                                                        \
    do {                                                              \
        P_FOR_COUNT(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)(__VA_ARGS__); \
        fflush(stdout);                                               \
    } while (0)
