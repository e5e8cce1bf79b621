/* The wrappers of wasm_c_api.hh: a guest that calls a lambda, traps, objects of the host, and what
 * owners give up. */

#include "wasm_c_api.hh"

#include <cstdio>
#include <cstring>
#include <memory>

static int failed_checks;

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            std::printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
            failed_checks++; \
        } \
    } while (0)

static wasm_c::module load(wasm_store_t *store, const char *folder, const char *name)
{
    static char bytes[65536];
    std::string path = std::string(folder) + "/" + name + ".wasm";
    std::FILE *file = std::fopen(path.c_str(), "rb");
    std::size_t size = file ? std::fread(bytes, 1, sizeof bytes, file) : 0;

    if (file)
        std::fclose(file);
    return wasm_c::load(store, bytes, size);
}

static void guest(wasm_store_t *store, const char *folder)
{
    std::shared_ptr<int> calls = std::make_shared<int>(0);
    wasm_c::own<wasm_functype_t> unary = wasm_c::functype({ WASM_I32 }, { WASM_I32 });
    wasm_c::own<wasm_functype_t> constant = wasm_c::functype({}, { WASM_I32 });
    wasm_c::func print = wasm_c::host_func(
        store, unary.get(), [calls](const wasm_val_t *args, wasm_val_t *results) {
            ++*calls;
            results[0] = wasm_c::i32(2 * args[0].of.i32);
            return wasm_c::trap();
        });
    wasm_c::func fail = wasm_c::host_func(
        store, constant.get(), [store, calls](const wasm_val_t *, wasm_val_t *results) {
            results[0] = wasm_c::i32(1);
            return *calls < 2 ? wasm_c::trap() : wasm_c::make_trap(store, "no more");
        });
    wasm_c::module module = load(store, folder, "c_api_callback");
    wasm_c::trap failure;
    wasm_c::instance instance = wasm_c::instantiate(
        store, module.get(),
        { wasm_func_as_extern(print.get()), wasm_func_as_extern(fail.get()) }, &failure);
    wasm_val_t result[1];

    CHECK(module && instance && !failure && calls.use_count() == 3);
    print.reset();
    fail.reset();
    {
        wasm_c::vec<wasm_extern_vec_t> exports = wasm_c::exports(instance.get());
        wasm_c::func run(wasm_func_copy(wasm_extern_as_func(exports[0])));
        wasm_c::func other = run.copy();

        CHECK(exports.size() == 1 && wasm_func_same(run.get(), other.get()));
        instance.reset();
        CHECK(!wasm_c::call(run.get(), { wasm_c::i32(3), wasm_c::i32(4) }, result));
        CHECK(result[0].kind == WASM_I32 && result[0].of.i32 == 15);
        failure = wasm_c::call(run.get(), { wasm_c::i32(3), wasm_c::i32(4) }, result);
        CHECK(wasm_c::message(failure.get()) == "Exception: no more");
        failure = wasm_c::call(run.get(), { wasm_c::f32(3), wasm_c::i32(4) });
        CHECK(failure);
    }
    /* The lambdas are gone with the last function that leads to them. */
    CHECK(*calls == 2 && calls.use_count() == 1);
    instance = wasm_c::instantiate(store, nullptr, {}, &failure);
    CHECK(!instance && failure);
}

static void references(wasm_store_t *store)
{
    wasm_c::own<wasm_foreign_t> foreign(wasm_foreign_new(store));
    wasm_c::own<wasm_functype_t> type
        = wasm_c::functype({ WASM_EXTERNREF }, { WASM_EXTERNREF });
    wasm_c::func same = wasm_c::host_func(
        store, type.get(), [](const wasm_val_t *args, wasm_val_t *results) {
            wasm_val_copy(&results[0], &args[0]);
            return wasm_c::trap();
        });
    wasm_val_t result[1];

    CHECK(!wasm_c::call(same.get(), { wasm_c::ref(wasm_foreign_as_ref(foreign.get())) }, result));
    wasm_c::own<wasm_ref_t> got(result[0].of.ref);
    CHECK(wasm_ref_same(got.get(), wasm_foreign_as_ref(foreign.get())));
    wasm_c::own<wasm_ref_t> moved(std::move(got));
    CHECK(!got && moved);
    wasm_ref_delete(moved.release());
    CHECK(!moved && !wasm_c::own<wasm_ref_t>().copy());
    CHECK(wasm_c::i64(-1).of.i64 == -1 && wasm_c::f64(0.5).of.f64 == 0.5);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    wasm_c::engine engine(wasm_engine_new());
    wasm_c::store store(wasm_store_new(engine.get()));

    guest(store.get(), argv[1]);
    references(store.get());
    return failed_checks ? 1 : 0;
}
