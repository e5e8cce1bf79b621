;; Between a main module and `sub_a`.
(module
  (import "sub_a" "bump" (func $bump (result i32)))
  (import "sub_a" "host" (func $host (result i32)))
  (export "host" (func $host))
  (func (export "bump_twice") (result i32) (drop (call $bump)) (call $bump)))
