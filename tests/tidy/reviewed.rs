//! Exceptions to the rules, each with its reason. An entry that is no longer needed fails.

/// Files over the limit: path, lines allowed, why it is better whole.
pub(crate) const LONG_FILES: &[(&str, usize, &str)] = &[];

/// Functions over the limit: `path::name`, lines allowed, why it is better whole.
pub(crate) const LONG_FUNCTIONS: &[(&str, usize, &str)] =
    &[("src/module/parse/mod.rs::payload", 80, "one arm for each kind of section")];

/// Banned calls that stay: path, the call as `rules::CALLS` spells it, why.
pub(crate) const CALLS: &[(&str, &str, &str)] = &[];

/// Files that need each other: their folder, their paths below it, why they stay so. A circle may
/// get smaller, never larger.
pub(crate) const CIRCLES: &[(&str, &[&str], &str)] = &[
    (
        "src/api/",
        &["bind.rs", "module.rs", "registered.rs"],
        "a module is bound when it is loaded, and bound to what other modules export",
    ),
    (
        "src/api/",
        &[
            "env.rs",
            "func.rs",
            "grow.rs",
            "instance.rs",
            "items.rs",
            "link.rs",
            "native.rs",
            "objects.rs",
            "shared_memory.rs",
            "sub_instances.rs",
            "tag.rs",
        ],
        "objects hand out one another: an instance its functions and items, which hold it",
    ),
    (
        "src/context/",
        &[
            "log/mod.rs",
            "log/sink.rs",
            "make.rs",
            "mod.rs",
            "process.rs",
            "runtime.rs",
            "thread/entered.rs",
            "thread/error.rs",
            "thread/lifecycle.rs",
            "thread/mod.rs",
            "thread/resolve.rs",
        ],
        "a thread's state holds contexts, and a context asks the thread it is used on; \
         both log, through the context that is current",
    ),
    (
        "src/exec/",
        &[
            "atomics.rs",
            "blocking.rs",
            "builtins.rs",
            "engine.rs",
            "enter.rs",
            "env.rs",
            "frames.rs",
            "limits.rs",
            "mod.rs",
            "trace.rs",
            "work.rs",
        ],
        "an exec_env points to its context's limits, which list the exec_envs that wait",
    ),
    (
        "src/instance/",
        &[
            "address_space.rs",
            "build.rs",
            "cluster.rs",
            "exception.rs",
            "exceptions.rs",
            "heap_plan.rs",
            "host.rs",
            "layout.rs",
            "link.rs",
            "link_set.rs",
            "memory.rs",
            "mod.rs",
            "segments.rs",
            "shared_heap/mod.rs",
            "shared_memory.rs",
            "table.rs",
            "tags.rs",
        ],
        "an instance owns memories, tables and its link set, which look back at it when \
         guests grow, share and throw",
    ),
    (
        "src/interp/",
        &[
            "code.rs",
            "compile/exceptions.rs",
            "compile/labels.rs",
            "compile/listing.rs",
            "compile/locals.rs",
            "compile/mod.rs",
            "compile/opcodes.rs",
            "compile/stack.rs",
            "compile/writer.rs",
            "dispatch/looped.rs",
            "dispatch/mod.rs",
            "dispatch/tail.rs",
            "frames.rs",
            "handlers/any_memory.rs",
            "handlers/atomic.rs",
            "handlers/bulk.rs",
            "handlers/control.rs",
            "handlers/data.rs",
            "handlers/exceptions.rs",
            "handlers/host.rs",
            "handlers/memory.rs",
            "handlers/mod.rs",
            "handlers/numeric.rs",
            "handlers/profile.rs",
            "handlers/references.rs",
            "handlers/slow_path.rs",
            "handlers/table.rs",
            "handlers/tail_call.rs",
            "machine.rs",
            "mod.rs",
            "operand.rs",
            "shape.rs",
            "unwind.rs",
        ],
        "code holds addresses of handlers, and handlers run, translate and unwind code",
    ),
    (
        "src/module/",
        &[
            "const_expr.rs",
            "exports.rs",
            "func_refs.rs",
            "mod.rs",
            "names.rs",
            "parse/appetite.rs",
            "parse/collect.rs",
            "parse/mod.rs",
            "parse/sections.rs",
            "parse/types.rs",
            "validate.rs",
            "wasi_abi.rs",
        ],
        "a module is what parsing fills, one section in one file each",
    ),
    (
        "src/native/",
        &["caller.rs", "host_func.rs", "invoke/mod.rs", "invoke/plan.rs", "registry.rs"],
        "a host function knows its entry, and entries read the host function they are for",
    ),
    (
        "src/sync/",
        &[
            "biased_lock.rs",
            "fork/epoch.rs",
            "fork/mod.rs",
            "fork/model.rs",
            "fork/process.rs",
            "mod.rs",
            "sleepers.rs",
        ],
        "locks open sections of the fork lock, which keeps its list of counters under a lock",
    ),
    (
        "src/sync/",
        &["interrupt.rs", "wake_descriptor.rs"],
        "an interrupt makes wake descriptors, and a wake descriptor goes back to its interrupt",
    ),
    (
        "src/wasi/",
        &[
            "attempt.rs",
            "call.rs",
            "clock.rs",
            "ctx.rs",
            "descriptor.rs",
            "dir/listing.rs",
            "dir/mod.rs",
            "fd_table.rs",
            "files.rs",
            "path.rs",
            "pieces.rs",
            "poll.rs",
            "preopen.rs",
            "sock/address.rs",
            "sock/mod.rs",
            "sock/own.rs",
            "sock/transfer.rs",
            "stdio.rs",
            "streams.rs",
            "strings.rs",
            "times.rs",
        ],
        "a call finds descriptors in its context, and whatever a descriptor does takes the call",
    ),
];

/// Names of more than two types: the name, in how many places, why it stays so.
pub(crate) const NAMES: &[(&str, usize, &str)] =
    &[("RunningMode", 3, "C's enumeration, the integer that C passes for it, and Rust's own")];
