;; Trees of two references: many short-lived ones beside a large one that stays. `run(n)` makes
;; trees of the depths 4, 6, ... n, together about as many nodes of each depth, and returns how
;; many nodes it has counted in them.
(module
  (import "env" "tick" (func $tick))
  (type $node (struct (field $left (ref null $node)) (field $right (ref null $node))))
  (global $made (mut i64) (i64.const 0))
  ;; Objects made so far; the host is called after every 64.
  (func (export "made") (result i64) (global.get $made))

  (func $count
    (global.set $made (i64.add (global.get $made) (i64.const 1)))
    (if (i64.eqz (i64.and (global.get $made) (i64.const 63))) (then (call $tick))))

  (func $make (param $depth i32) (result (ref $node))
    (local $left (ref null $node)) (local $right (ref null $node))
    (if (local.get $depth) (then
      (local.set $left (call $make (i32.sub (local.get $depth) (i32.const 1))))
      (local.set $right (call $make (i32.sub (local.get $depth) (i32.const 1))))))
    (call $count)
    (struct.new $node (local.get $left) (local.get $right)))

  (func $nodes (param $tree (ref null $node)) (result i32)
    (if (ref.is_null (local.get $tree)) (then (return (i32.const 0))))
    (i32.add
      (i32.add
        (call $nodes (struct.get $node $left (local.get $tree)))
        (call $nodes (struct.get $node $right (local.get $tree))))
      (i32.const 1)))

  (func (export "run") (param $n i32) (result i64)
    (local $long (ref null $node)) (local $depth i32) (local $turns i32) (local $sum i64)
    (local.set $long (call $make (local.get $n)))
    (local.set $depth (i32.const 4))
    (block $done
      (loop $depths
        (br_if $done (i32.gt_s (local.get $depth) (local.get $n)))
        (local.set $turns (i32.shl (i32.const 1)
          (i32.add (i32.sub (local.get $n) (local.get $depth)) (i32.const 4))))
        (loop $again
          (local.set $sum (i64.add (local.get $sum)
            (i64.extend_i32_u (call $nodes (call $make (local.get $depth))))))
          (br_if $again (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
        (local.set $depth (i32.add (local.get $depth) (i32.const 2)))
        (br $depths)))
    (i64.add (local.get $sum) (i64.extend_i32_u (call $nodes (local.get $long))))))
