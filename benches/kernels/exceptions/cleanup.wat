;; As throw.wat, with a function in between that catches everything by a reference and throws it
;; again, as compilers clean up.
(module
  (tag $t (param i32))
  (func $throw (param i32) (throw $t (local.get 0)))
  (func $cleanup (param i32)
    (throw_ref (block $h (result exnref)
      (try_table (catch_all_ref $h) (call $throw (local.get 0)))
      (unreachable))))
  (func (export "run") (param $n i32) (result i64) (local $sum i64)
    (loop $again
      (block $h (result i32)
        (try_table (catch $t $h) (call $cleanup (local.get $n)))
        (unreachable))
      (local.set $sum (i64.add (i64.extend_i32_u) (local.get $sum)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
