(module
  (import "" "f" (func $f (result i32)))
  (func $middle (result i32) (call $f))
  (func (export "call") (result i32) (call $middle)))
