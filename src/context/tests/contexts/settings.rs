//! Settings that are made without a handle, before there is a context and after.

use super::*;
use crate::alloc::FailRule;
use crate::context::{JitOptions, RunningMode};
use crate::native::{Convention, NativeArray};

#[test]
fn settings_before_init_wait_for_the_context_of_their_thread() {
    World::run(|world| {
        thread::set_log_level(LogLevel::Verbose);
        thread::set_max_thread_num(9);
        thread::set_max_thread_num(0);
        assert!(thread::set_running_mode(RunningMode::Interp));
        let compiles = RunningMode::FastJit.is_supported();
        assert_eq!(thread::set_running_mode(RunningMode::FastJit), compiles);
        assert!(thread::set_running_mode(RunningMode::Interp));
        let elsewhere = world.on_thread(init);
        assert_eq!((elsewhere.log_level(), elsewhere.max_thread_num()), (LogLevel::Warning, 4));
        let made = init();
        assert_eq!((made.log_level(), made.max_thread_num()), (LogLevel::Verbose, 9));
        assert_eq!(made.running_mode(), RunningMode::Interp);
        thread::set_max_thread_num(11);
        assert_eq!(made.max_thread_num(), 11);
        assert_eq!(destroys(), "closed");
        let running_mode = Some(RunningMode::Default);
        let again = init_with(ContextConfig { running_mode, ..ContextConfig::default() });
        assert_eq!(again.max_thread_num(), 11, "kept across destroy");
        assert_eq!(again.running_mode(), RunningMode::Default, "overwritten by the arguments");
    });
}

#[test]
fn an_init_that_only_counts_compares_everything() {
    let usual = ContextConfig::default;
    // SAFETY: null arrays are accepted and match nothing.
    let array = |count| unsafe {
        NativeArray::new(std::ptr::null(), std::ptr::null(), count, Convention::Raw)
    };
    World::run(move |_| {
        let made = init_with(ContextConfig { natives: Some(array(0)), ..usual() });
        let differing = [
            on_heap(HeapConfig::Failing {
                inner: Box::new(HeapConfig::System),
                rule: FailRule::Once(1),
            }),
            ContextConfig { quota_bytes: Some(1), ..usual() },
            ContextConfig { log_level: Some(LogLevel::Warning), ..usual() },
            ContextConfig { running_mode: Some(RunningMode::Default), ..usual() },
            ContextConfig { max_thread_num: 4, ..usual() },
            ContextConfig { max_descriptors: Some(100), ..usual() },
            ContextConfig { gc_heap_size: 1, ..usual() },
            ContextConfig { jit: JitOptions { opt_level: 1, ..JitOptions::default() }, ..usual() },
            ContextConfig { perf_profiling: true, ..usual() },
            ContextConfig { accepts_strays: false, ..usual() },
            ContextConfig { memories_in_heap: true, ..usual() },
            ContextConfig { builtins: &[], ..usual() },
        ];
        for (before, config) in differing.into_iter().enumerate() {
            assert_eq!(made.init_conflicts(), before as u32);
            assert_eq!(init_with(ContextConfig { natives: Some(array(0)), ..config }), made);
        }
        let all = made.init_conflicts();
        assert_eq!(init_with(ContextConfig { natives: Some(array(1)), ..usual() }), made);
        assert_eq!(init_with(ContextConfig { natives: None, ..usual() }), made);
        assert_eq!(made.init_conflicts(), all + 2);
        assert_eq!(init_with(ContextConfig { natives: Some(array(0)), ..usual() }), made);
        assert_eq!(init(), made);
        assert_eq!(made.init_conflicts(), all + 2);
    });
}

#[test]
fn settings_do_not_leak_into_other_contexts() {
    World::run(|world| {
        let primary = init();
        let seen = primary.clone();
        world.on_thread(move || {
            let own = init();
            thread::set_log_level(LogLevel::Verbose);
            thread::set_max_thread_num(1);
            assert_eq!((own.log_level(), own.max_thread_num()), (LogLevel::Verbose, 1));
            seen.run(|| thread::set_log_level(LogLevel::Error));
            assert_eq!(own.log_level(), LogLevel::Verbose);
        });
        assert_eq!((primary.log_level(), primary.max_thread_num()), (LogLevel::Error, 4));
        world.on_thread(|| thread::set_log_level(LogLevel::Debug));
        assert_eq!(primary.log_level(), LogLevel::Debug, "a stray means the primary");
    });
}

#[test]
fn limits_change_while_a_context_runs() {
    World::run(|_| {
        let context = Context::new().unwrap();
        assert_eq!(context.quota_bytes(), None);
        let block = context.guarded(|| vec![0u8; 1000]).unwrap();
        context.set_quota_bytes(Some(500));
        assert_eq!(context.quota_bytes(), Some(500));
        assert!(context.guarded(|| vec![0u8; 1]).is_err(), "over the quota already");
        drop(block);
        assert!(context.guarded(|| vec![0u8; 400]).is_ok());
        assert!(context.guarded(|| vec![0u8; 600]).is_err());
        context.set_quota_bytes(None);
        assert!(context.guarded(|| vec![0u8; 600]).is_ok());
    });
}
