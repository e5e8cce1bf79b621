;; A program with a C main that adds up the lengths of its arguments.
(module
  (memory (export "memory") 1)
  (func $length (param $at i32) (result i32) (local $n i32)
    (loop $next
      (if (i32.load8_u (i32.add (local.get $at) (local.get $n)))
        (then
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br $next))))
    (local.get $n))
  (func (export "main") (param $argc i32) (param $argv i32) (result i32) (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $argc)))
        (local.set $sum
          (i32.add (local.get $sum) (call $length (i32.load (local.get $argv)))))
        (local.set $argv (i32.add (local.get $argv) (i32.const 4)))
        (local.set $argc (i32.sub (local.get $argc) (i32.const 1)))
        (br $next)))
    (local.get $sum))
)
