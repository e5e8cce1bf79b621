;; A command: `_start` is run and not `main`.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "main") (result i32) unreachable)
  (func (export "_start") (call $exit (i32.const 5))))
