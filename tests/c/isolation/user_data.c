/* Allocator functions that get the embedder's pointer: each side its own. For a library that was
   built with alloc-with-user-data. */

#include "rows.h"

/* The counts of a side's functions, and the number of wrong pointers. */
struct account {
    int live;
    int calls;
};

static struct account account_of_a, account_of_b;
static int strangers;

static struct account *known(void *user_data) {
    if (user_data != &account_of_a && user_data != &account_of_b) {
        __atomic_add_fetch(&strangers, 1, __ATOMIC_RELAXED);
        return &account_of_a;
    }
    return user_data;
}

static void *counted_malloc(void *user_data, unsigned size) {
    struct account *account = known(user_data);

    account->live++;
    account->calls++;
    return malloc(size);
}

static void *counted_realloc(void *user_data, void *block, unsigned size) {
    known(user_data)->calls++;
    return realloc(block, size);
}

static void counted_free(void *user_data, void *block) {
    known(user_data)->live--;
    free(block);
}

/* A whole life of a guest, on the account of the side and of nobody else: each account is only
   ever written to by its own thread, or memory checkers see two. */
static void on_account(struct account *account) {
    RuntimeInitArgs args = {0};
    struct guest guest;
    int calls = account->calls;

    args.mem_alloc_type = Alloc_With_Allocator;
    args.mem_alloc_option.allocator.malloc_func = (void *)counted_malloc;
    args.mem_alloc_option.allocator.realloc_func = (void *)counted_realloc;
    args.mem_alloc_option.allocator.free_func = (void *)counted_free;
    args.mem_alloc_option.allocator.user_data = account;
    quiet_init(&args);
    meet();
    guest = start_guest("guest");
    CHECK_INT(call(&guest, "add", 2, 40, 2), 42);
    wasm_runtime_free(wasm_runtime_realloc(wasm_runtime_malloc(10), 1000));
    end_guest(&guest);
    meet();
    wasm_runtime_destroy();
    CHECK(account->calls > calls);
    CHECK_INT(account->live, 0);
}

static void side_a(void) {
    on_account(&account_of_a);
}

static void side_b(void) {
    on_account(&account_of_b);
}

static void allocator_user_data(void) {
    sides(rounds(), side_a, side_b);
    CHECK_INT(strangers, 0);
}

static void run(void) {
    row("allocator user data", allocator_user_data);
}
