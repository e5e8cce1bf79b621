//! Many contexts, many threads, and nothing left of them.

use super::*;
use crate::context::ObjectKind;
use std::sync::Barrier;

/// Fewer where each step is interpreted.
const fn many(count: usize) -> usize {
    if cfg!(miri) { count / 100 } else { count }
}

#[test]
fn ten_thousand_contexts_at_once_and_one_after_another() {
    World::run(|world| {
        let registry = &world.process().registry;
        let alive: Vec<_> = (0..many(10_000)).map(|_| Context::new().unwrap()).collect();
        assert_eq!(registry.open_count(), many(10_000));
        assert_eq!(Context::all().unwrap().len(), many(10_000));
        drop(alive);
        assert_eq!(registry.open_count(), 0);
        for _ in 0..many(10_000) {
            let object = init().hold(ObjectKind::ExecEnv);
            assert_eq!(destroys(), "closed");
            assert_eq!(object.stats().objects(), 1);
        }
        assert_eq!(registry.open_count(), 0);
        assert!(Context::primary().is_none());
    });
}

#[test]
fn a_thousand_threads_with_a_context_each() {
    World::run(|world| {
        let count = many(1000);
        let alive = Arc::new(Barrier::new(count + 1));
        let threads: Vec<_> = (0..count)
            .map(|_| {
                let alive = alive.clone();
                world.spawn(move || {
                    let own = init();
                    let object = own.hold(ObjectKind::Instance);
                    let kept = own.run(|| Box::new(1));
                    alive.wait();
                    assert_eq!(Context::current().unwrap(), own);
                    alive.wait();
                    drop((kept, object));
                    own.downgrade()
                })
            })
            .collect();
        alive.wait();
        let all = Context::all().unwrap();
        assert_eq!(all.len(), count);
        assert!(all.iter().all(|context| context.stats().instances == 1));
        drop(all);
        alive.wait();
        let weak: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        let left: Vec<_> = weak.iter().filter_map(|weak| weak.upgrade()).collect();
        assert_eq!(left, Vec::from_iter(Context::primary()), "only the primary survives");
        drop(left);
        assert_eq!(destroys(), "closed");
        assert_eq!(world.process().registry.open_count(), 0);
    });
}

#[test]
fn shared_inits_that_come_at_once_agree() {
    World::run(|world| {
        for _ in 0..many(100) {
            let together = Arc::new(Barrier::new(4));
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let together = together.clone();
                    world.spawn(move || {
                        together.wait();
                        let config =
                            ContextConfig { shared_init: true, ..ContextConfig::default() };
                        let made = init_with(config);
                        together.wait();
                        assert_eq!(Context::current().unwrap(), made);
                        made
                    })
                })
                .collect();
            let made: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
            assert!(made.iter().all(|context| *context == made[0]));
            assert_eq!([destroys(), destroys(), destroys()], ["counted"; 3]);
            assert_eq!(destroys(), "closed");
            assert!(!Context::any());
        }
    });
}

#[test]
fn threads_that_init_resolve_and_destroy_against_each_other() {
    World::run(|world| {
        let threads: Vec<_> = (0..4)
            .map(|seed| {
                world.spawn(move || {
                    let shared = seed % 2 == 0;
                    for _ in 0..many(500) {
                        let shared_init = shared;
                        let config = ContextConfig { shared_init, ..ContextConfig::default() };
                        let made = init_with(config);
                        let found = Context::current().unwrap();
                        assert!(shared || found == made);
                        found.run(|| assert_eq!(Context::current().unwrap(), found));
                        drop(Context::all().unwrap());
                        thread::destroy();
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(world.process().registry.open_count(), 0);
        assert_eq!(destroys(), "surplus");
    });
}
