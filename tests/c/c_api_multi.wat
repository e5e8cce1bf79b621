(module
  (func $f (import "" "f") (param i32 i64 v128 f32) (result f32 v128 i64 i32))
  (func (export "g") (param i32 i64 v128 f32) (result f32 v128 i64 i32)
    (call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3))))
