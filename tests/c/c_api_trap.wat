(module
  (import "" "callback" (func $callback (result i32)))
  (tag (export "tag"))
  (func $inner (export "callback") (result i32) (call $callback))
  (func (export "unreachable") (result i32) (unreachable) (i32.const 1))
  (func (export "outer") (result i32) (call $inner)))
