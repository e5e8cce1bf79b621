//! The rules of contexts, one section each, through the functions that the C API uses.

use super::*;
use crate::alloc::{FailRule, HeapError};
use crate::context::ObjectKind;
use crate::context::process::Process;

// Rule 1: a handle wins.

#[test]
fn a_handle_wins_on_whatever_thread() {
    World::run(|world| {
        let mine = init();
        let other = Context::new().unwrap();
        assert_eq!(Context::current().unwrap(), mine);
        other.run(|| {
            assert_eq!(Context::current().unwrap(), other);
            mine.run(|| assert_eq!(Context::current().unwrap(), mine));
            assert_eq!(Context::current().unwrap(), other);
        });
        assert_eq!(Context::current().unwrap(), mine);
        let there = other.clone();
        world.on_thread(move || there.run(|| assert_eq!(Context::current().unwrap(), there)));
    });
}

#[test]
fn leaving_by_a_panic_pops_too() {
    World::run(|_| {
        let mine = init();
        let other = Context::new().unwrap();
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            other.run(|| {
                other.push().unwrap();
                std::panic::resume_unwind(Box::new(()))
            })
        }));
        assert!(unwound.is_err());
        assert_eq!(Context::current().unwrap(), mine);
        assert!(other.pop().is_err(), "what was pushed inside went with it");
    });
}

#[test]
fn init_inside_a_guest_call_is_current_until_the_call_returns() {
    World::run(|world| {
        let guests = init();
        let runs_in = guests.clone();
        world.on_thread(move || {
            let made = runs_in.run(|| {
                let made = init();
                assert_ne!(made, runs_in);
                assert_eq!(Context::current().unwrap(), made);
                made
            });
            assert_eq!(Context::current().unwrap(), made, "the thread's own from now on");
            runs_in.run(|| assert_eq!(Context::current().unwrap(), runs_in));
            runs_in.run(|| {
                assert_eq!(init(), made, "a thread that has one counts");
                assert_eq!(Context::current().unwrap(), runs_in);
            });
            assert_eq!(destroys(), "counted");
            assert_eq!(destroys(), "closed");
        });
        world.on_thread(move || {
            guests.run(|| {
                init();
                assert_eq!(destroys(), "closed");
                assert_eq!(Context::current().unwrap(), guests, "as before the init");
            })
        });
    });
}

// Rule 2: the order of resolution.

#[test]
fn entered_own_inherited_primary() {
    World::run(|world| {
        assert!(Context::current().is_err());
        let primary = init();
        let inherited = Context::new().unwrap();
        let entered = Context::new().unwrap();
        world.on_thread(move || {
            assert_eq!(Context::current().unwrap(), primary);
            let guard = thread::inherit(&inherited).unwrap();
            assert_eq!(Context::current().unwrap(), inherited);
            let own = init();
            assert_ne!(own, inherited);
            assert_eq!(Context::current().unwrap(), own);
            entered.run(|| assert_eq!(Context::current().unwrap(), entered));
            assert_eq!(destroys(), "closed");
            assert_eq!(Context::current().unwrap(), inherited);
            drop(guard);
            assert_eq!(Context::current().unwrap(), primary);
        });
    });
}

#[test]
fn the_primary_is_never_re_elected_while_others_live() {
    World::run(|world| {
        let first = init();
        let second = Context::new().unwrap();
        assert_eq!(Context::primary().unwrap(), first);
        assert_eq!(destroys(), "closed");
        assert!(Context::primary().is_none());
        let third = world.on_thread(|| {
            assert!(Context::current().is_err());
            Context::new().unwrap()
        });
        assert!(Context::primary().is_none());
        drop((second, third));
        let next = Context::new().unwrap();
        assert_eq!(Context::primary().unwrap(), next);
    });
}

#[test]
fn a_closed_context_with_objects_does_not_keep_the_next_from_being_primary() {
    World::run(|_| {
        let leaked = init().hold(ObjectKind::Module);
        assert_eq!(destroys(), "closed");
        let next = init();
        assert_eq!(Context::primary().unwrap(), next);
        assert_ne!(*leaked, next);
    });
}

#[test]
fn falling_back_among_several_warns_once_per_thread() {
    World::run(|world| {
        let messages = listen(&init());
        world.on_thread(|| {
            Context::current().unwrap();
        });
        assert_eq!(messages.count("uses the primary one"), 0, "there is only one");
        let _second = Context::new().unwrap();
        for threads in 1..3 {
            world.on_thread(|| {
                Context::current().unwrap();
                Context::current().unwrap();
            });
            assert_eq!(messages.count("uses the primary one"), threads);
        }
        Context::current().unwrap();
        assert_eq!(messages.count("uses the primary one"), 2, "a thread with its own");
    });
}

#[test]
fn a_strict_primary_refuses_strays() {
    World::run(|world| {
        let config = ContextConfig { accepts_strays: false, ..ContextConfig::default() };
        let primary = init_with(config);
        assert_eq!(Context::current().unwrap(), primary);
        world.on_thread(|| assert!(Context::current().is_err()));
        primary.set_accepts_strays(true);
        world.on_thread(move || assert_eq!(Context::current().unwrap(), primary));
    });
}

// Rule 3: init.

#[test]
fn each_thread_gets_a_context_of_its_own() {
    World::run(|world| {
        let first = init();
        let second = world.on_thread(init);
        assert_ne!(first, second);
        assert!(first.is_open());
        assert!(!second.is_open(), "its thread is gone");
    });
}

#[test]
fn init_on_a_thread_that_has_one_counts() {
    World::run(|_| {
        let sized = |gc_heap_size| ContextConfig { gc_heap_size, ..ContextConfig::default() };
        let first = init_with(sized(70_000));
        let messages = listen(&first);
        assert_eq!(init(), first);
        assert_eq!(first.init_conflicts(), 0);
        assert_eq!(init_with(sized(70_000)), first);
        assert_eq!(first.init_conflicts(), 0);
        assert_eq!(init_with(sized(80_000)), first);
        assert_eq!(first.init_conflicts(), 1);
        assert_eq!(messages.count("differ and are ignored"), 1);
        assert_eq!(first.gc_heap_size(), 70_000);
        assert_eq!([destroys(), destroys(), destroys()], ["counted"; 3]);
        assert_eq!(destroys(), "closed");
    });
}

#[test]
fn an_init_that_fails_leaves_nothing() {
    World::run(|world| {
        let nested =
            |inner| HeapConfig::Failing { inner: Box::new(inner), rule: FailRule::From(1) };
        let heap = nested(nested(HeapConfig::System));
        let refused = thread::init(ContextConfig { heap, ..ContextConfig::default() }).err();
        assert_eq!(refused, Some(ContextError::Heap(HeapError::NestedFailing)));
        assert!(Context::current().is_err());
        assert_eq!(world.process().registry.open_count(), 0);
        assert_eq!(destroys(), "surplus");
        init();
        assert_eq!(destroys(), "closed");
    });
}

#[test]
fn the_shared_init_counts_for_the_process() {
    World::run(|world| {
        let shared = || init_with(ContextConfig { shared_init: true, ..ContextConfig::default() });
        let first = shared();
        let here = first.clone();
        world.on_thread(move || {
            assert_eq!(shared(), here);
            assert_eq!(shared(), here);
            assert_eq!(destroys(), "counted");
        });
        assert!(first.is_open(), "a thread's end takes nothing away");
        assert_eq!(world.process().registry.inits(&first.0), 2);
        assert_eq!(destroys(), "counted");
        assert_eq!(world.on_thread(destroys), "closed");
        assert!(Context::current().is_err());
    });
}

#[test]
fn the_shared_init_is_not_lost_where_there_can_be_no_primary() {
    World::run(|world| {
        let other = Context::new().unwrap();
        let second = Context::new().unwrap();
        other.close();
        world.on_thread(|| {
            let made = init_with(ContextConfig { shared_init: true, ..ContextConfig::default() });
            assert!(Context::primary().is_none());
            assert_eq!(Context::current().unwrap(), made);
            assert_eq!(destroys(), "closed");
        });
        assert_eq!(Context::all().unwrap(), [second]);
    });
}

#[test]
fn the_environment_can_ask_for_the_shared_init() {
    World::run_in(Process::with_shared_init(true), |world| {
        let first = init();
        assert_eq!(world.on_thread(init), first);
        assert_eq!(world.on_thread(destroys), "counted");
        assert_eq!(destroys(), "closed");
    });
}

// Rule 4: destroy.

#[test]
fn destroy_drops_the_own_count_else_the_primarys_never_anothers() {
    World::run(|world| {
        let primary = init();
        let (to_second, from_first) = std::sync::mpsc::channel::<()>();
        let (to_first, from_second) = std::sync::mpsc::channel::<Context>();
        let second = world.spawn(move || {
            let own = init();
            to_first.send(own.clone()).unwrap();
            from_first.recv().unwrap();
            assert!(own.is_open());
            assert_eq!(destroys(), "closed");
            assert!(!own.is_open());
        });
        let theirs = from_second.recv().unwrap();
        assert_eq!(world.on_thread(destroys), "closed");
        assert!(!primary.is_open(), "a thread without its own takes the primary's");
        assert_eq!(world.on_thread(destroys), "surplus");
        assert_eq!(destroys(), "surplus", "the own one is gone already");
        assert!(theirs.is_open());
        to_second.send(()).unwrap();
        second.join().unwrap();
    });
}

#[test]
fn a_context_dies_with_its_last_object() {
    World::run(|_| {
        let weak = {
            let object = init().hold(ObjectKind::Instance);
            let weak = object.downgrade();
            assert_eq!(destroys(), "closed");
            assert!(Context::current().is_err());
            assert_eq!(object.stats().instances, 1);
            object.run(|| assert_eq!(Context::current().unwrap(), *object));
            assert!(weak.upgrade().is_some());
            weak
        };
        assert!(weak.upgrade().is_none());
    });
}

#[test]
fn a_surplus_destroy_is_a_logged_no_op() {
    World::run(|world| {
        let made = Context::new().unwrap();
        let messages = listen(&made);
        assert_eq!(destroys(), "surplus", "the primary was not made by init");
        assert!(made.is_open());
        assert_eq!(messages.count("nothing to destroy"), 1);
        assert_eq!(world.on_thread(destroys), "surplus");
    });
}

#[test]
fn init_and_destroy_repeat() {
    World::run(|world| {
        for _ in 0..100 {
            let weak = init().downgrade();
            assert_eq!(destroys(), "closed");
            assert!(weak.upgrade().is_none());
        }
        assert_eq!(world.process().registry.open_count(), 0);
    });
}

// Rule 5: thread environments and thread exit.

#[test]
fn a_thread_environment_needs_and_makes_no_context() {
    World::run(|world| {
        assert!(!thread::thread_env_inited());
        thread::destroy_thread_env();
        assert!(thread::init_thread_env());
        assert!(thread::init_thread_env());
        assert!(Context::current().is_err());
        assert_eq!(world.process().registry.open_count(), 0);
        thread::destroy_thread_env();
        assert!(thread::thread_env_inited(), "counted");
        thread::destroy_thread_env();
        assert!(!thread::thread_env_inited());
        thread::destroy_thread_env();
        assert!(thread::init_thread_env());
        assert!(thread::thread_env_inited(), "a surplus destroy owes nothing");
    });
}

#[test]
fn destroying_the_environment_leaves_the_context_alone() {
    World::run(|_| {
        let own = init();
        assert!(thread::thread_env_inited());
        thread::init_thread_env();
        thread::destroy_thread_env();
        thread::destroy_thread_env();
        assert!(thread::thread_env_inited());
        assert_eq!(Context::current().unwrap(), own);
        assert_eq!(destroys(), "closed");
        assert!(!thread::thread_env_inited());
    });
}

#[test]
fn a_thread_that_calls_nothing_is_prepared_on_its_first_call() {
    World::run(|world| {
        let context = init();
        world.on_thread(move || {
            assert!(!thread::thread_env_inited());
            context.run(|| assert!(!thread::thread_env_inited(), "no guest was called"));
            let low = context.run_guest(|low| low);
            assert!(0 < low && low < crate::platform::stack::pointer());
            assert!(thread::thread_env_inited());
            assert_eq!(thread::native_stack_low(), low);
            thread::init_thread_env();
            thread::destroy_thread_env();
            assert!(!thread::thread_env_inited());
            assert_eq!(context.run_guest(|low| low), low);
            assert!(thread::thread_env_inited(), "prepared again");
        });
    });
}

#[test]
fn the_primary_survives_its_creator_and_a_secondary_does_not() {
    World::run(|world| {
        let primary = world.on_thread(|| {
            init();
            init()
        });
        assert!(primary.is_open());
        assert_eq!(Context::current().unwrap(), primary);
        let secondary = world.on_thread(|| {
            init();
            init().downgrade()
        });
        assert!(secondary.upgrade().is_none());
        let held = world.on_thread(|| init().hold(ObjectKind::Store));
        assert!(!held.is_open(), "only its object keeps it");
        assert_eq!(destroys(), "counted");
        assert_eq!(destroys(), "closed");
    });
}

// Rule 6: inheriting.

#[test]
fn spawned_threads_inherit_and_their_context_knows_them() {
    World::run(|world| {
        let _primary = init();
        let parent = Context::new().unwrap();
        let context = parent.clone();
        world.on_thread(move || {
            let guard = thread::inherit(&context).unwrap();
            assert_eq!(Context::current().unwrap(), context);
            assert!(thread::thread_env_inited());
            let threads = context.threads();
            assert_eq!(threads.len(), 1);
            assert_eq!(threads[0].native_id, crate::platform::thread::id());
            drop(guard);
            assert!(context.threads().is_empty());
            std::mem::forget(thread::inherit(&context).unwrap());
        });
        let weak = parent.downgrade();
        drop(parent);
        // The forgotten guard holds one handle; the thread's own went with the thread.
        assert_eq!(weak.upgrade().unwrap().0.strong_count(), 2);
    });
}

// Rule 7: contexts are not tied to threads.

#[test]
fn contexts_travel() {
    fn travels<T: Send + Sync + Clone + 'static>() {}
    travels::<Context>();
    World::run(|world| {
        let context = Context::new().unwrap();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let context = context.clone();
                world.spawn(move || {
                    for _ in 0..1000 {
                        context.run(|| assert_eq!(Context::current().unwrap(), context));
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(context.0.strong_count(), 1);
    });
}

#[test]
fn threads_share_a_context_on_purpose() {
    World::run(|world| {
        let shared = Context::new().unwrap();
        let there = shared.clone();
        world.on_thread(move || {
            let before = init();
            thread::adopt(&there).unwrap();
            assert!(!before.is_open(), "what was the thread's own is let go");
            assert_eq!(Context::current().unwrap(), there);
            assert_eq!(init(), there);
            assert_eq!(destroys(), "counted");
            assert_eq!(destroys(), "counted", "the handle still holds it open");
            assert!(there.is_open());
            thread::adopt(&there).unwrap();
        });
        assert!(shared.is_open());
        shared.close();
        assert!(thread::adopt(&shared).is_err());
    });
}

// Rule 10: the list.

#[test]
fn the_list_shows_open_contexts_oldest_first() {
    World::run(|_| {
        assert!(!Context::any());
        let contexts: Vec<_> = (0..5).map(|_| Context::new().unwrap()).collect();
        assert!(Context::any());
        assert_eq!(Context::all().unwrap(), contexts);
        contexts[2].close();
        let last = Context::new().unwrap();
        let expected: Vec<_> = [&contexts[..2], &contexts[3..], &[last]].concat();
        assert_eq!(Context::all().unwrap(), expected);
        let ids: Vec<_> = expected.iter().map(Context::id).collect();
        assert!(ids.is_sorted());
    });
}
