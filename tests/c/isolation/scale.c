/* Many contexts, and nothing left of them: neither memory nor descriptors. */

#include <dirent.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>
#include "rows.h"

static long resident(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    CHECK(file && fscanf(file, "%*d %ld", &pages) == 1);
    if (file) {
        fclose(file);
    }
    return pages * sysconf(_SC_PAGESIZE);
}

static int descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    CHECK(folder != NULL);
    while (folder && readdir(folder)) {
        count++;
    }
    closedir(folder);
    return count;
}

/* The memory of the process, after the C library has given back its spare memory. */
struct footprint {
    long resident;
    int descriptors;
};

static struct footprint footprint(void) {
    struct footprint now;

    malloc_trim(0);
    now.descriptors = descriptors();
    now.resident = resident();
    return now;
}

static void expect_unchanged(struct footprint before, long slack) {
    struct footprint after = footprint();

    CHECK_INT(after.descriptors, before.descriptors);
    CHECK(after.resident - before.resident < slack);
}

static void use_guest(void) {
    struct guest guest = start_guest("basic");

    CHECK_INT(call(&guest, "add", 2, 20, 22), 42);
    end_guest(&guest);
}

static void one_life(void) {
    quiet_init(NULL);
    use_guest();
    wasm_runtime_destroy();
}

static void one_after_another(void) {
    struct footprint before;
    int i;

    for (i = 0; i < 10; i++) {
        one_life();
    }
    before = footprint();
    for (i = 0; i < rounds() * 10; i++) {
        one_life();
    }
    expect_unchanged(before, 256 << 10);
}

static pthread_barrier_t all_alive;
static size_t bytes_of_many;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static int guests_used;

/* The work of each of many threads while all of them are alive. */
typedef enum { NOTHING, BEING_IDLE, USING_A_GUEST } Doing;

static void *one_of_many(void *data) {
    Doing doing = *(Doing *)data;
    /* The C library makes its own state for the thread. */
    void *volatile block = malloc(1);

    free(block);
    if (doing != NOTHING) {
        quiet_init(NULL);
    }
    pthread_barrier_wait(&all_alive);
    pthread_barrier_wait(&all_alive);
    if (doing == USING_A_GUEST) {
        /* One at a time: the cost of a thousand linear memories is no subject here. */
        pthread_mutex_lock(&one_at_a_time);
        use_guest();
        guests_used++;
        pthread_mutex_unlock(&one_at_a_time);
    }
    pthread_barrier_wait(&all_alive);
    if (doing != NOTHING) {
        wasm_runtime_destroy();
    }
    return NULL;
}

static size_t allocated(void) {
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* As many threads as there are rounds, all at the same time. */
static void all_together(Doing doing) {
    int i, count = rounds();
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    pthread_attr_t small;
    size_t before;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 << 10);
    pthread_barrier_init(&all_alive, NULL, (unsigned)count + 1);
    before = allocated();
    for (i = 0; i < count; i++) {
        CHECK(pthread_create(&threads[i], &small, one_of_many, &doing) == 0);
    }
    pthread_barrier_wait(&all_alive);
    bytes_of_many = allocated() - before;
    pthread_barrier_wait(&all_alive);
    pthread_barrier_wait(&all_alive);
    for (i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_barrier_destroy(&all_alive);
    pthread_attr_destroy(&small);
    free(threads);
}

static void at_once(void) {
    struct footprint before;

    /* The C library keeps stacks of threads, with the pages that these have touched. */
    all_together(USING_A_GUEST);
    before = footprint();
    all_together(USING_A_GUEST);
    CHECK_INT(guests_used, 2 * rounds());
    expect_unchanged(before, 1 << 20);
    CHECK(!wasm_runtime_malloc(1));
}

/* The memory of an idle context with the system's allocator: everything allocated with it, the
   thread's state included, without the C library's own memory for each thread. */
static void idle_bytes(void) {
    size_t each, bare;

    /* All threads in one arena, so that their allocations are counted together. */
    mallopt(M_ARENA_MAX, 1);
    all_together(NOTHING);
    all_together(NOTHING);
    bare = bytes_of_many;
    all_together(BEING_IDLE);
    each = (bytes_of_many - bare) / (size_t)rounds();
    if (getenv("SHOW")) {
        fprintf(stderr, "%zu bytes for each idle context\n", each);
    }
    CHECK(each > 0 && each < 4096);
}

static void run(void) {
    /* First: later ones would find arenas that were made before. */
    row("bytes of an idle context", idle_bytes);
    row("ten thousand contexts, one after another", one_after_another);
    row("a thousand contexts at once", at_once);
}
