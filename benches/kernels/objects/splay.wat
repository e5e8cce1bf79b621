;; A splay tree of 8,000 nodes, each with a payload of two objects. `run(n)` puts in n nodes with
;; random keys, takes one out for each, and returns a sum over the keys that it found and over the
;; tree that is left.
(module
  (import "env" "tick" (func $tick))
  (type $numbers (array (mut i32)))
  (type $payload (struct (field $numbers (ref $numbers)) (field $key i32)))
  (type $node (struct
    (field $key i32) (field $left (mut (ref null $node))) (field $right (mut (ref null $node)))
    (field $payload (ref null $payload))))
  (global $made (mut i64) (i64.const 0))
  (global $root (mut (ref null $node)) (ref.null $node))
  (global $seed (mut i32) (i32.const 49734321))
  ;; Objects made so far; the host is called after every 64 or so.
  (func (export "made") (result i64) (global.get $made))
  (global $next (mut i64) (i64.const 64))

  (func $count (param $objects i64)
    (global.set $made (i64.add (global.get $made) (local.get $objects)))
    (if (i64.ge_u (global.get $made) (global.get $next)) (then
      (global.set $next (i64.add (global.get $made) (i64.const 64)))
      (call $tick))))

  (func $random (result i32)
    (global.set $seed
      (i32.add (i32.mul (global.get $seed) (i32.const 1664525)) (i32.const 1013904223)))
    (i32.shr_u (global.get $seed) (i32.const 8)))

  (func $new (param $key i32) (result (ref $node))
    (call $count (i64.const 3))
    (struct.new $node (local.get $key) (ref.null $node) (ref.null $node)
      (struct.new $payload (array.new $numbers (local.get $key) (i32.const 10))
        (local.get $key))))

  ;; Brings the node with the key to the root, or the last one on the way to where it would be.
  (func $splay (param $key i32)
    (local $top (ref null $node)) (local $dummy (ref $node))
    (local $left (ref null $node)) (local $right (ref null $node)) (local $next (ref null $node))
    (local.set $top (global.get $root))
    (if (ref.is_null (local.get $top)) (then (return)))
    (call $count (i64.const 1))
    (local.set $dummy
      (struct.new $node (i32.const 0) (ref.null $node) (ref.null $node) (ref.null $payload)))
    (local.set $left (local.get $dummy))
    (local.set $right (local.get $dummy))
    (block $done
      (loop $again
        (if (i32.lt_s (local.get $key) (struct.get $node $key (local.get $top))) (then
          (br_if $done (ref.is_null
            (local.tee $next (struct.get $node $left (local.get $top)))))
          (if (i32.lt_s (local.get $key) (struct.get $node $key (local.get $next))) (then
            ;; Turn right.
            (struct.set $node $left (local.get $top) (struct.get $node $right (local.get $next)))
            (struct.set $node $right (local.get $next) (local.get $top))
            (local.set $top (local.get $next))
            (br_if $done (ref.is_null (struct.get $node $left (local.get $top))))))
          ;; Link right.
          (struct.set $node $left (local.get $right) (local.get $top))
          (local.set $right (local.get $top))
          (local.set $top (struct.get $node $left (local.get $top)))
          (br $again)))
        (if (i32.gt_s (local.get $key) (struct.get $node $key (local.get $top))) (then
          (br_if $done (ref.is_null
            (local.tee $next (struct.get $node $right (local.get $top)))))
          (if (i32.gt_s (local.get $key) (struct.get $node $key (local.get $next))) (then
            ;; Turn left.
            (struct.set $node $right (local.get $top) (struct.get $node $left (local.get $next)))
            (struct.set $node $left (local.get $next) (local.get $top))
            (local.set $top (local.get $next))
            (br_if $done (ref.is_null (struct.get $node $right (local.get $top))))))
          ;; Link left.
          (struct.set $node $right (local.get $left) (local.get $top))
          (local.set $left (local.get $top))
          (local.set $top (struct.get $node $right (local.get $top)))
          (br $again)))))
    (struct.set $node $right (local.get $left) (struct.get $node $left (local.get $top)))
    (struct.set $node $left (local.get $right) (struct.get $node $right (local.get $top)))
    (struct.set $node $left (local.get $top) (struct.get $node $right (local.get $dummy)))
    (struct.set $node $right (local.get $top) (struct.get $node $left (local.get $dummy)))
    (global.set $root (local.get $top)))

  ;; Whether the key was new.
  (func $insert (param $key i32) (result i32)
    (local $node (ref $node)) (local $root (ref null $node))
    (call $splay (local.get $key))
    (local.set $root (global.get $root))
    (if (i32.eqz (ref.is_null (local.get $root))) (then
      (if (i32.eq (struct.get $node $key (local.get $root)) (local.get $key))
        (then (return (i32.const 0))))))
    (local.set $node (call $new (local.get $key)))
    (if (i32.eqz (ref.is_null (local.get $root))) (then
      (if (i32.gt_s (local.get $key) (struct.get $node $key (local.get $root)))
        (then
          (struct.set $node $left (local.get $node) (local.get $root))
          (struct.set $node $right (local.get $node)
            (struct.get $node $right (local.get $root)))
          (struct.set $node $right (local.get $root) (ref.null $node)))
        (else
          (struct.set $node $right (local.get $node) (local.get $root))
          (struct.set $node $left (local.get $node)
            (struct.get $node $left (local.get $root)))
          (struct.set $node $left (local.get $root) (ref.null $node))))))
    (global.set $root (local.get $node))
    (i32.const 1))

  ;; Takes out the root, after the node with the key or one beside it was brought there. Returns
  ;; the sum of its payload.
  (func $remove (param $key i32) (result i32)
    (local $root (ref null $node)) (local $right (ref null $node))
    (local $numbers (ref null $numbers))
    (call $splay (local.get $key))
    (local.set $root (global.get $root))
    (local.set $right (struct.get $node $right (local.get $root)))
    (if (ref.is_null (struct.get $node $left (local.get $root)))
      (then (global.set $root (local.get $right)))
      (else
        (global.set $root (struct.get $node $left (local.get $root)))
        ;; The largest on the left has nothing to its right.
        (call $splay (local.get $key))
        (if (ref.is_null (struct.get $node $right (global.get $root)))
          (then (struct.set $node $right (global.get $root) (local.get $right)))
          (else (call $graft (local.get $right))))))
    (local.set $numbers
      (struct.get $payload $numbers (struct.get $node $payload (local.get $root))))
    (i32.add
      (array.get $numbers (local.get $numbers) (i32.const 9))
      (array.len (local.get $numbers))))

  ;; Hangs a tree below the largest node.
  (func $graft (param $tree (ref null $node))
    (call $splay (i32.const 0x7fffffff))
    (struct.set $node $right (global.get $root) (local.get $tree)))

  (func (export "run") (param $n i32) (result i64)
    (local $size i32) (local $sum i64)
    (global.set $seed (i32.const 49734321))
    (global.set $root (ref.null $node))
    (loop $again
      (if (call $insert (call $random)) (then
        (local.set $size (i32.add (local.get $size) (i32.const 1)))
        (if (i32.gt_s (local.get $size) (i32.const 8000)) (then
          (local.set $size (i32.sub (local.get $size) (i32.const 1)))
          (local.set $sum (i64.add
            (i64.mul (local.get $sum) (i64.const 31))
            (i64.extend_i32_u (call $remove (call $random)))))))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
