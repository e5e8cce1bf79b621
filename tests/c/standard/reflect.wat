(module
  (import "env" "f" (func (param i64)))
  (import "env" "m" (memory 1 5))
  (import "other" "" (global (mut i32)))
  (func (export "func") (param i32 f64 f32) (result i32) (unreachable))
  (global (export "global") f64 (f64.const 0))
  (table (export "table") 0 50 funcref)
  (export "memory" (memory 0)))
