/* start_up N PROGRAM ARG...: least wall and CPU time and the last peak of resident memory of N
 * runs of a program, its output thrown away. Started with posix_spawn from a small process,
 * because Linux counts what a forked child had before exec as the program's peak. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static double ms(struct timeval t)
{
    return t.tv_sec * 1e3 + t.tv_usec / 1e3;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: start_up N PROGRAM ARG...\n");
        return 2;
    }
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&quiet, 1, 2);
    double wall = 1e9, cpu = 1e9;
    struct rusage usage = { 0 };
    for (int i = 0; i < atoi(argv[1]); i++) {
        pid_t child;
        int status;
        double start = now_ms();
        if (posix_spawn(&child, argv[2], &quiet, NULL, argv + 2, environ) != 0
            || wait4(child, &status, 0, &usage) != child)
            return 1;
        double took = now_ms() - start;
        double used = ms(usage.ru_utime) + ms(usage.ru_stime);
        wall = took < wall ? took : wall;
        cpu = used < cpu ? used : cpu;
    }
    printf("wall %.3f ms, CPU %.3f ms, peak %ld KiB\n", wall, cpu, usage.ru_maxrss);
    return 0;
}
