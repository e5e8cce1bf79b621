;; A guest whose threads end in a host function.
(module
  (import "host" "end" (func $end))
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (memory (export "memory") 1 1 shared)
  (func (export "wasi_thread_start") (param i32 i32) (call $end))
  (func (export "spawn") (result i32) (call $spawn (i32.const 0)))
)
