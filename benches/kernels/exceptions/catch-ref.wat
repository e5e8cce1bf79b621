;; As throw.wat, with references to the exceptions.
(module
  (tag $t (param i32))
  (func $throw (param i32) (throw $t (local.get 0)))
  (func (export "run") (param $n i32) (result i64) (local $sum i64) (local $last exnref)
    (loop $again
      (block $h (result i32 exnref)
        (try_table (catch_ref $t $h) (call $throw (local.get $n)))
        (unreachable))
      (local.set $last)
      (local.set $sum (i64.add (i64.extend_i32_u) (local.get $sum)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
