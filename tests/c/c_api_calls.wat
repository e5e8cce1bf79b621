(module
  (import "" "numbers"
    (func $numbers (param i32 i64 f32 f64) (result f64 f32 i64 i32)))
  (import "" "vector" (func $vector (param v128 i32) (result v128)))
  (import "" "again" (func $again (param i32) (result i32)))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "numbers") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
    (call $numbers (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func (export "vector") (param v128 i32) (result v128)
    (call $vector (local.get 0) (local.get 1)))
  (func (export "again") (param i32) (result i32)
    (i32.add (i32.const 1) (call $again (local.get 0)))))
