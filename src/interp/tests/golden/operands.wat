(module
  (memory 1)
  (global $g (mut i32) (i32.const 0))
  ;; Results stay in the accumulator from producer to consumer.
  (func (param i32 i32) (result i32)
    (i32.mul (i32.add (local.get 0) (i32.const 5)) (local.get 1)))
  ;; A second pending result moves the first to its slot, in its producer.
  (func (param i32 i32) (result i32)
    (i32.sub (i32.mul (local.get 0) (local.get 1)) (i32.add (local.get 0) (local.get 1))))
  ;; Producers write locals themselves.
  (func (param i32) (result i32)
    (local.set 0 (i32.shl (local.get 0) (i32.const 1)))
    (local.tee 0 (i32.xor (local.get 0) (i32.const 3))))
  ;; The old value of a local is kept for what is still on the stack.
  (func (param i32) (result i32)
    local.get 0
    (local.set 0 (i32.const 7))
    local.get 0
    i32.sub)
  ;; Addresses: a sum, a constant, an accumulator.
  (func (param i32 i32)
    (i32.store offset=4 (i32.add (local.get 0) (local.get 1)) (local.get 0))
    (f64.store (i32.const 1024) (f64.load (i32.add (local.get 0) (i32.const 16))))
    (i32.store8 (i32.load (local.get 0)) (i32.const 9))
    (global.set $g (i32.sub (global.get $g) (i32.const 16)))))
