;; As start_loop, in what WASI runs first.
(module
  (import "env" "ready" (func $ready))
  (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))
  (memory (export "memory") 1)
  (func (export "_initialize") (call $ready) (loop (br 0))))
