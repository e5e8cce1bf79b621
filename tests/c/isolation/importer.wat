;; Needs a module that the host finds.
(module
  (import "libx" "answer" (func $answer (result i32)))
  (func (export "ask") (result i32) (call $answer)))
