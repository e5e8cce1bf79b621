(module
  (import "" "callback" (func $callback (result i32)))
  (func $inner (export "callback") (result i32) (call $callback))
  (func (export "unreachable") (result i32) (unreachable) (i32.const 1))
  (func (export "outer") (result i32) (call $inner))
  (func (export "divide") (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0)))
  (func $deep (export "deep") (call $deep)))
