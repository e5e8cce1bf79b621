;; A hash map from numbers to structs, with lists of entries that double when it is full. `run(n)`
;; puts in n random keys of 65,536, each with a new value; takes every fourth one out again; and
;; returns a sum over the values that it replaced.
(module
  (import "env" "tick" (func $tick))
  (type $value (struct (field $a f64) (field $b (mut i32))))
  (type $entry (struct
    (field $key i32) (field $value (mut (ref $value))) (field $next (mut (ref null $entry)))))
  (type $lists (array (mut (ref null $entry))))
  (global $made (mut i64) (i64.const 0))
  (global $lists (mut (ref null $lists)) (ref.null $lists))
  (global $size (mut i32) (i32.const 0))
  (global $seed (mut i32) (i32.const 20231))
  ;; Objects made so far; the host is called after every 64.
  (func (export "made") (result i64) (global.get $made))

  (func $count
    (global.set $made (i64.add (global.get $made) (i64.const 1)))
    (if (i64.eqz (i64.and (global.get $made) (i64.const 63))) (then (call $tick))))

  (func $random (result i32)
    (global.set $seed
      (i32.add (i32.mul (global.get $seed) (i32.const 1664525)) (i32.const 1013904223)))
    (i32.shr_u (global.get $seed) (i32.const 8)))

  (func $place (param $key i32) (param $lists (ref null $lists)) (result i32)
    (i32.and
      (i32.shr_u (i32.mul (local.get $key) (i32.const 0x9e3779b1)) (i32.const 12))
      (i32.sub (array.len (local.get $lists)) (i32.const 1))))

  (func $find (param $key i32) (result (ref null $entry))
    (local $entry (ref null $entry)) (local $lists (ref null $lists))
    (local.set $lists (global.get $lists))
    (local.set $entry (array.get $lists (local.get $lists)
      (call $place (local.get $key) (local.get $lists))))
    (block $done
      (loop $again
        (br_if $done (ref.is_null (local.get $entry)))
        (br_if $done (i32.eq (struct.get $entry $key (local.get $entry)) (local.get $key)))
        (local.set $entry (struct.get $entry $next (local.get $entry)))
        (br $again)))
    (local.get $entry))

  ;; Twice as many lists.
  (func $grow
    (local $old (ref null $lists)) (local $new (ref null $lists)) (local $at i32)
    (local $entry (ref null $entry)) (local $next (ref null $entry)) (local $place i32)
    (local.set $old (global.get $lists))
    (local.set $new (array.new_default $lists
      (i32.mul (array.len (local.get $old)) (i32.const 2))))
    (loop $lists
      (local.set $entry (array.get $lists (local.get $old) (local.get $at)))
      (block $done
        (loop $again
          (br_if $done (ref.is_null (local.get $entry)))
          (local.set $next (struct.get $entry $next (local.get $entry)))
          (local.set $place
            (call $place (struct.get $entry $key (local.get $entry)) (local.get $new)))
          (struct.set $entry $next (local.get $entry)
            (array.get $lists (local.get $new) (local.get $place)))
          (array.set $lists (local.get $new) (local.get $place) (local.get $entry))
          (local.set $entry (local.get $next))
          (br $again)))
      (br_if $lists (i32.lt_u
        (local.tee $at (i32.add (local.get $at) (i32.const 1)))
        (array.len (local.get $old)))))
    (global.set $lists (local.get $new)))

  (func $put (param $key i32) (param $value (ref $value)) (result i32)
    (local $entry (ref null $entry)) (local $place i32) (local $old i32)
    (local.set $entry (call $find (local.get $key)))
    (if (i32.eqz (ref.is_null (local.get $entry))) (then
      (local.set $old (struct.get $value $b (struct.get $entry $value (local.get $entry))))
      (struct.set $entry $value (local.get $entry) (local.get $value))
      (return (local.get $old))))
    (if (i32.ge_u (global.get $size) (array.len (global.get $lists))) (then (call $grow)))
    (local.set $place (call $place (local.get $key) (global.get $lists)))
    (call $count)
    (array.set $lists (global.get $lists) (local.get $place)
      (struct.new $entry (local.get $key) (local.get $value)
        (array.get $lists (global.get $lists) (local.get $place))))
    (global.set $size (i32.add (global.get $size) (i32.const 1)))
    (i32.const 0))

  (func $remove (param $key i32)
    (local $place i32) (local $entry (ref null $entry)) (local $last (ref null $entry))
    (local.set $place (call $place (local.get $key) (global.get $lists)))
    (local.set $entry (array.get $lists (global.get $lists) (local.get $place)))
    (block $done
      (loop $again
        (br_if $done (ref.is_null (local.get $entry)))
        (if (i32.eq (struct.get $entry $key (local.get $entry)) (local.get $key)) (then
          (if (ref.is_null (local.get $last))
            (then (array.set $lists (global.get $lists) (local.get $place)
              (struct.get $entry $next (local.get $entry))))
            (else (struct.set $entry $next (local.get $last)
              (struct.get $entry $next (local.get $entry)))))
          (global.set $size (i32.sub (global.get $size) (i32.const 1)))
          (return)))
        (local.set $last (local.get $entry))
        (local.set $entry (struct.get $entry $next (local.get $entry)))
        (br $again))))

  (func (export "run") (param $n i32) (result i64)
    (local $sum i64) (local $key i32)
    (global.set $seed (i32.const 20231))
    (global.set $size (i32.const 0))
    (global.set $lists (array.new_default $lists (i32.const 16)))
    (loop $again
      (local.set $key (i32.and (call $random) (i32.const 0xffff)))
      (call $count)
      (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (call $put (local.get $key)
        (struct.new $value (f64.convert_i32_s (local.get $n)) (local.get $n))))))
      (if (i32.eqz (i32.and (local.get $n) (i32.const 3))) (then
        (call $remove (i32.and (call $random) (i32.const 0xffff)))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
