;; Imports a bit of everything from another module.
(module
  (import "provider" "f" (func $f (param i32) (result i32)))
  (import "provider" "memory" (memory 1))
  (import "provider" "table" (table 1 funcref))
  (import "provider" "g" (global (mut i32)))
  (func (export "run") (param i32) (result i32)
    (i32.add (call $f (local.get 0)) (global.get 0))))
