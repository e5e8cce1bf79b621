;; Threads that loop, or exit the program after a while.
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "env" "code" (func $code (result i32)))
  (memory (export "memory") 1 1 shared)
  (func (export "wasi_thread_start") (param $tid i32) (param $what i32)
    (if (i32.eqz (local.get $what)) (then (loop (br 0))))
    (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 50000000)))
    (call $exit (local.get $what)))
  (func (export "_start"))
  (func (export "exit") (drop (call $spawn (i32.const 0))) (call $exit (i32.const 7)))
  (func (export "leave") (drop (call $spawn (i32.const 9))))
  (func (export "ask") (result i32) (drop (call $spawn (i32.const 0))) (call $code)))
