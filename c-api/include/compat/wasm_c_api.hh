/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * wasm_c_api.h for C++11: owners that delete what they hold, vectors, values, calls, and host
 * functions from callables. All inline; nothing has to be linked but the library. Owners move and
 * do not copy (copy() is explicit), and are NULL when the function behind them fails. The raw
 * pointers of the C header are there with get(), and everything that has no wrapper is called with
 * these. Threads are as in wasm_c_api.h.
 */

#ifndef ISOTHREAD_COMPAT_WASM_C_API_HH
#define ISOTHREAD_COMPAT_WASM_C_API_HH

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "wasm_c_api.h"

namespace wasm_c {

/* The function that deletes objects of a type, and the one that copies them, if there is one. */
template <typename T> struct traits;

#define ISOTHREAD_CXX_OWNED(name) \
    template <> struct traits<wasm_##name##_t> { \
        static void end(wasm_##name##_t *object) { wasm_##name##_delete(object); } \
    };
#define ISOTHREAD_CXX_COPIED(name) \
    template <> struct traits<wasm_##name##_t> { \
        static void end(wasm_##name##_t *object) { wasm_##name##_delete(object); } \
        static wasm_##name##_t *copy(const wasm_##name##_t *object) \
        { \
            return wasm_##name##_copy(object); \
        } \
    };

ISOTHREAD_CXX_OWNED(config)
ISOTHREAD_CXX_OWNED(engine)
ISOTHREAD_CXX_OWNED(store)
ISOTHREAD_CXX_OWNED(module)
ISOTHREAD_CXX_COPIED(valtype)
ISOTHREAD_CXX_COPIED(functype)
ISOTHREAD_CXX_COPIED(globaltype)
ISOTHREAD_CXX_COPIED(tabletype)
ISOTHREAD_CXX_COPIED(memorytype)
ISOTHREAD_CXX_COPIED(externtype)
ISOTHREAD_CXX_COPIED(importtype)
ISOTHREAD_CXX_COPIED(exporttype)
ISOTHREAD_CXX_COPIED(ref)
ISOTHREAD_CXX_COPIED(frame)
ISOTHREAD_CXX_COPIED(trap)
ISOTHREAD_CXX_COPIED(foreign)
ISOTHREAD_CXX_COPIED(func)
ISOTHREAD_CXX_COPIED(global)
ISOTHREAD_CXX_COPIED(table)
ISOTHREAD_CXX_COPIED(memory)
ISOTHREAD_CXX_COPIED(extern)
ISOTHREAD_CXX_COPIED(instance)

#undef ISOTHREAD_CXX_OWNED
#undef ISOTHREAD_CXX_COPIED

/* Holds an object until it goes; NULL holds none. */
template <typename T> class own {
public:
    own() : object(nullptr) {}
    /* Takes over what a function of the C header returned. */
    explicit own(T *object) : object(object) {}
    own(own &&other) noexcept : object(other.release()) {}
    own(const own &) = delete;
    ~own() { reset(); }

    own &operator=(own &&other) noexcept
    {
        reset(other.release());
        return *this;
    }
    own &operator=(const own &) = delete;

    T *get() const { return object; }
    explicit operator bool() const { return object != nullptr; }

    /* Gives the object away, to a function that takes its argument over. */
    T *release()
    {
        T *given = object;
        object = nullptr;
        return given;
    }

    void reset(T *next = nullptr)
    {
        T *last = object;
        object = next;
        if (last)
            traits<T>::end(last);
    }

    /* Where a function of the C header stores a pointer that is the caller's. */
    T **out()
    {
        reset();
        return &object;
    }

    own copy() const { return own(object ? traits<T>::copy(object) : nullptr); }

private:
    T *object;
};

typedef own<wasm_engine_t> engine;
typedef own<wasm_store_t> store;
typedef own<wasm_module_t> module;
typedef own<wasm_instance_t> instance;
typedef own<wasm_trap_t> trap;
typedef own<wasm_func_t> func;

/* The functions of a type of vectors. */
template <typename V> struct vec_traits;

#define ISOTHREAD_CXX_VEC(name) \
    template <> struct vec_traits<wasm_##name##_vec_t> { \
        static void end(wasm_##name##_vec_t *vec) { wasm_##name##_vec_delete(vec); } \
    };

ISOTHREAD_CXX_VEC(byte)
ISOTHREAD_CXX_VEC(valtype)
ISOTHREAD_CXX_VEC(importtype)
ISOTHREAD_CXX_VEC(exporttype)
ISOTHREAD_CXX_VEC(val)
ISOTHREAD_CXX_VEC(frame)
ISOTHREAD_CXX_VEC(extern)

#undef ISOTHREAD_CXX_VEC

/* Holds a vector and its elements until it goes. */
template <typename V> class vec {
public:
    typedef decltype(V().data) iterator;

    vec() : data() {}
    vec(vec &&other) noexcept : data(other.data) { other.data = V(); }
    vec(const vec &) = delete;
    vec &operator=(const vec &) = delete;
    ~vec() { vec_traits<V>::end(&data); }

    vec &operator=(vec &&other) noexcept
    {
        std::swap(data, other.data);
        return *this;
    }

    V *get() { return &data; }
    const V *get() const { return &data; }
    std::size_t size() const { return data.size; }
    iterator begin() const { return data.data; }
    iterator end() const { return data.data + data.size; }
    auto operator[](std::size_t at) const -> decltype(*iterator()) { return data.data[at]; }

private:
    V data;
};

/* A number as a value. */
inline wasm_val_t val_of(std::int64_t bits, wasm_valkind_t kind)
{
    wasm_val_t val = wasm_val_t();
    val.kind = kind;
    val.of.i64 = bits;
    return val;
}
inline wasm_val_t i32(std::int32_t number)
{
    return val_of(static_cast<std::uint32_t>(number), WASM_I32);
}
inline wasm_val_t i64(std::int64_t number) { return val_of(number, WASM_I64); }
inline wasm_val_t f32(float number)
{
    wasm_val_t val = val_of(0, WASM_F32);
    val.of.f32 = number;
    return val;
}
inline wasm_val_t f64(double number)
{
    wasm_val_t val = val_of(0, WASM_F64);
    val.of.f64 = number;
    return val;
}
/* A reference as a value, which stays the owner's. */
inline wasm_val_t ref(wasm_ref_t *reference)
{
    wasm_val_t val = val_of(0, WASM_EXTERNREF);
    val.of.ref = reference;
    return val;
}

/* A trap's message, without its NUL. */
inline std::string message(const wasm_trap_t *trap)
{
    vec<wasm_byte_vec_t> text;
    wasm_trap_message(trap, text.get());
    return text.size() ? std::string(text.begin(), text.size() - 1) : std::string();
}

inline trap make_trap(wasm_store_t *store, const std::string &text)
{
    vec<wasm_byte_vec_t> message;
    wasm_name_new(message.get(), text.size() + 1, text.c_str());
    return trap(wasm_trap_new(store, message.get()));
}

inline module load(wasm_store_t *store, const void *bytes, std::size_t size)
{
    vec<wasm_byte_vec_t> binary;
    wasm_byte_vec_new(binary.get(), size, static_cast<const char *>(bytes));
    return module(wasm_module_new(store, binary.get()));
}

/* The type of a function by the kinds of its values. */
inline own<wasm_functype_t> functype(std::initializer_list<wasm_valkind_t> params,
                                     std::initializer_list<wasm_valkind_t> results)
{
    const std::initializer_list<wasm_valkind_t> kinds[] = { params, results };
    vec<wasm_valtype_vec_t> types[2];
    for (int i = 0; i < 2; i++) {
        std::size_t at = 0;
        wasm_valtype_vec_new_uninitialized(types[i].get(), kinds[i].size());
        if (types[i].size() < kinds[i].size())
            return own<wasm_functype_t>();
        for (wasm_valkind_t kind : kinds[i])
            types[i].begin()[at++] = wasm_valtype_new(kind);
    }
    return own<wasm_functype_t>(wasm_functype_new(types[0].get(), types[1].get()));
}

/* Makes an instance; the imports stay the caller's. A trap goes to `failure`. */
inline instance instantiate(wasm_store_t *store, const wasm_module_t *module,
                            std::initializer_list<wasm_extern_t *> imports,
                            trap *failure = nullptr)
{
    std::vector<wasm_extern_t *> items(imports);
    wasm_extern_vec_t given = { items.size(), items.data(), items.size(), sizeof(wasm_extern_t *),
                                nullptr };
    return instance(wasm_instance_new(store, module, &given, failure ? failure->out() : nullptr));
}

inline vec<wasm_extern_vec_t> exports(const wasm_instance_t *instance)
{
    vec<wasm_extern_vec_t> items;
    wasm_instance_exports(instance, items.get());
    return items;
}

/* Calls a function, whose results are left out, or put into an array with room for all of them. */
inline trap call(const wasm_func_t *func, std::initializer_list<wasm_val_t> args,
                 wasm_val_t *results, std::size_t room)
{
    /* The C function reads its arguments only. */
    wasm_val_vec_t in = { args.size(), const_cast<wasm_val_t *>(args.begin()), args.size(),
                          sizeof(wasm_val_t), nullptr };
    wasm_val_vec_t out = { room, results, room, sizeof(wasm_val_t), nullptr };
    return trap(wasm_func_call(func, &in, results ? &out : nullptr));
}
inline trap call(const wasm_func_t *func, std::initializer_list<wasm_val_t> args)
{
    return call(func, args, nullptr, 0);
}
template <std::size_t N>
trap call(const wasm_func_t *func, std::initializer_list<wasm_val_t> args,
          wasm_val_t (&results)[N])
{
    return call(func, args, results, N);
}

/* The environment of a host function that is a callable; for host_func alone. */
template <typename F> struct callable {
    static wasm_trap_t *call(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results)
    {
        return (*static_cast<F *>(env))(args->data, results->data).release();
    }
    static void end(void *env) { delete static_cast<F *>(env); }
};

/*
 * A host function from a callable that takes the arguments and room for the results, and returns a
 * trap or trap(). The callable is moved, and goes with the function. It must not throw. NULL also
 * without memory for it.
 */
template <typename F>
func host_func(wasm_store_t *store, const wasm_functype_t *type, F body)
{
    F *env = new (std::nothrow) F(std::move(body));
    if (!env)
        return func();
    return func(wasm_func_new_with_env(store, type, callable<F>::call, env, callable<F>::end));
}

} /* namespace wasm_c */

#endif
