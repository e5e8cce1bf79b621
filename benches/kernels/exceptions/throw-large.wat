;; As throw.wat, with a payload of 40 numbers.
(module
  (type $many (func (param
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)))
  (type $caught (func (result
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)))
  (tag $t (type $many))
  (func $throw (param $n i64)
    (throw $t
      (local.get $n) (local.get $n) (local.get $n) (local.get $n) (local.get $n)
      (local.get $n) (local.get $n) (local.get $n) (local.get $n) (local.get $n)
      (local.get $n) (local.get $n) (local.get $n) (local.get $n) (local.get $n)
      (local.get $n) (local.get $n) (local.get $n) (local.get $n) (local.get $n)
      (local.get $n) (local.get $n) (local.get $n) (local.get $n) (local.get $n)
      (local.get $n) (local.get $n) (local.get $n) (local.get $n) (local.get $n)
      (local.get $n) (local.get $n) (local.get $n) (local.get $n) (local.get $n)
      (local.get $n) (local.get $n) (local.get $n) (local.get $n) (local.get $n)))
  (func (export "run") (param $n i32) (result i64) (local $sum i64)
    (loop $again
      (block $h (type $caught)
        (try_table (catch $t $h) (call $throw (i64.extend_i32_u (local.get $n))))
        (unreachable))
      i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add
      i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add
      i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add
      i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add
      (local.set $sum (i64.add (local.get $sum)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
