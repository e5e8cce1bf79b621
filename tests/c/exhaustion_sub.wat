;; What `exhaustion_main` imports.
(module
  (memory (export "memory") 1)
  (table (export "table") 1 funcref)
  (global (export "g") (mut i32) (i32.const 3))
  (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
