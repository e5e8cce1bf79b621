;; Notices when two threads run it at once: what it changes is neither atomic nor locked.
(module
  (import "env" "misbehave" (func $misbehave))
  (memory (export "memory") 1 4)
  (table $table 1 funcref)
  (global $inside (mut i32) (i32.const 0))
  (global $calls (mut i32) (i32.const 0))
  (global $stop (mut i32) (i32.const 0))
  ;; Works for a while, alone, and returns how many calls there were with this one.
  (func (export "work") (result i32) (local $turns i32)
    (if (global.get $inside) (then unreachable))
    (global.set $inside (i32.const 1))
    (if (i32.eqz (i32.rem_u (global.get $calls) (i32.const 64)))
      (then (drop (table.grow $table (ref.null func) (i32.const 1)))))
    (loop $again
      (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1)))
      (br_if $again (i32.lt_u
        (local.tee $turns (i32.add (local.get $turns) (i32.const 1))) (i32.const 50))))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (global.set $inside (i32.const 0))
    (global.get $calls))
  (func (export "turns") (result i32) (i32.load (i32.const 8)))
  (func (export "spin") (i32.store (i32.const 16) (i32.const 1)) (loop (br 0)))
  (func (export "misbehave") (call $misbehave)))
