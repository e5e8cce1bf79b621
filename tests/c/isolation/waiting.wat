;; A memory that threads share, to wait on and to notify.
(module
  (memory 1 1 shared)
  (func (export "wait") (param i32) (result i32)
    (memory.atomic.wait32 (i32.const 0) (i32.const 0)
      (i64.mul (i64.extend_i32_u (local.get 0)) (i64.const 1000000))))
  (func (export "notify") (result i32) (memory.atomic.notify (i32.const 0) (i32.const -1)))
)
