(module
  (type $unary (func (param i32) (result i32)))
  (import "env" "host" (func $host (param i32 i64) (result i32)))
  (table 4 funcref)
  ;; A comparison becomes part of the branch on it, also negated.
  (func $count (param i32) (result i32) (local i32)
    (loop $again
      (local.set 1 (i32.add (local.get 1) (local.get 0)))
      (br_if $again (i32.gt_s (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))
                              (i32.const 0))))
    (local.get 1))
  ;; Values that a branch carries past others on the stack are moved on the way.
  (func (param i32) (result i32)
    (block (result i32)
      i32.const 100
      (i32.add (local.get 0) (i32.const 1))
      (br_if 0 (i32.eqz (i32.lt_u (local.get 0) (i32.const 9))))
      i32.add))
  (func (param i32) (result i32)
    (block $a (block $b (block $c
      (br_table $a $b $c $b (local.get 0)))
      (return (i32.const 1)))
      (return (i32.const 2)))
    (i32.const 3))
  ;; Arguments are the callee's parameters where they are.
  (func (param i32) (result i32)
    (call $count (call $host (call $count (local.get 0)) (i64.const 0x1_0000_0000))))
  (func (param i32 i32) (result i32)
    (call_indirect (type $unary) (local.get 0) (local.get 1))))
