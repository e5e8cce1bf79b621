(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "" "f" (func $f))
  (memory (export "memory") 1)
  (func (export "_start") (call $f) (call $exit (i32.const 7))))
