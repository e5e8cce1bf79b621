(module
  (type $s (struct (field (mut i32)) (field (mut anyref))))
  (type $a (array (mut i16)))
  (type $v (array (mut v128)))
  (type $f (func (param f64) (result f64)))
  (table 4 funcref)
  ;; Small objects are made by leaves, and are in the accumulator then.
  (func (result i32)
    (struct.get $s 0 (struct.new_default $s)))
  (func (param i32) (result i32)
    (array.get_u $a (array.new $a (i32.const 5) (local.get 0)) (i32.const 1)))
  (func (result anyref anyref)
    (array.new_fixed $a 2 (i32.const 1) (i32.const 2))
    (array.new_default $v (i32.const 3)))
  ;; Vectors are for the heap.
  (func (param v128) (result anyref)
    (array.new $v (local.get 0) (i32.const 3)))
  ;; A cast leaves the reference in the accumulator.
  (func (param anyref) (result i32)
    (struct.get $s 0 (ref.cast (ref $s) (local.get 0))))
  ;; Tests leave their result in the accumulator, where the branch finds it.
  (func (param anyref) (result i32)
    (block $is (result eqref)
      (drop (br_on_cast $is anyref eqref (local.get 0)))
      (return (ref.test (ref struct) (local.get 0))))
    drop
    (i32.const 1))
  ;; So does a call through a table.
  (func (param f64) (result f64)
    (f64.sub (call_indirect (type $f) (local.get 0) (i32.const 1)) (local.get 0)))
  ;; Both operands are in the accumulator; constants of branches have 32 bits.
  (func (param f64) (result i32)
    (loop $again
      (local.set 0 (f64.add (local.get 0) (f64.const 1)))
      (local.set 0 (f64.mul (local.get 0) (local.get 0)))
      (br_if $again (f64.lt (local.get 0) (f64.const 4)))
      (br_if $again (f64.gt (f64.const 0.1) (local.get 0)))
      (br_if $again (f32.eq (f32.demote_f64 (local.get 0)) (f32.const -1.5))))
    (i32.const 0)))
