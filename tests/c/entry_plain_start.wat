;; No WASI and no memory, but a function that can be nothing else than a program's start.
(module
  (global $ready (mut i32) (i32.const 0))
  (func (export "ready") (result i32) (global.get $ready))
  (func (export "_start") (global.set $ready (i32.const 2)))
  (func (export "main") (result i32) (global.set $ready (i32.const 3)) (i32.const 0)))
