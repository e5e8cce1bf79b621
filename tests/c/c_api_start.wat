(module
  (import "" "f" (func $f (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "seen") (result i32) (i32.load (i32.const 0)))
  (func $start (i32.store (i32.const 0) (call $f (i32.const 20))))
  (start $start))
