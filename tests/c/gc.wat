(module
  (type $point (sub (struct (field $x (mut i32)) (field $y (mut i64))))) ;; 0
  ;; 1
  (type $point3 (sub $point (struct (field (mut i32)) (field (mut i64)) (field (mut f64)))))
  ;; 2
  (type $packed (struct (field (mut i8)) (field (mut i16)) (field f32) (field (mut v128))))
  (type $bytes (array (mut i8))) ;; 3
  (type $points (array (mut (ref null $point)))) ;; 4
  (type $binary (func (param i32 i32) (result i32))) ;; 5
  ;; 6
  (type $box
    (struct (field (mut anyref)) (field (mut externref)) (field (mut (ref null $binary)))))
  (type $same (sub (struct (field (mut i32)) (field (mut i64))))) ;; 7, as 0
  (type $i64s (array i64)) ;; 8
  ;; 9
  (type $refs
    (func (param (ref null $point) (ref eq) externref i64) (result (ref $points) funcref)))
  (type $funcs (array (mut (ref null $binary)))) ;; 10

  (import "env" "pass" (func $pass (param anyref) (result anyref)))
  (import "env" "typed" (func $typed (param (ref null $point)) (result (ref $point))))
  (import "env" "external" (func $external (param externref) (result externref)))
  (import "env" "pick" (func $pick (param (ref null $binary)) (result (ref null $binary))))
  (import "env" "alloc" (func $alloc (param anyref i32) (result i32)))

  (memory (export "memory") 1 1000)
  (global $kept (mut anyref) (ref.null any))
  (table (export "table") 2 (ref null $point))

  (func $add (export "add") (type $binary) (i32.add (local.get 0) (local.get 1)))
  (func (export "refs") (type $refs) (unreachable))
  (func $hidden (type $binary) (i32.sub (local.get 0) (local.get 1)))

  (func (export "make") (param i32 i64) (result (ref $point))
    (struct.new $point (local.get 0) (local.get 1)))
  (func (export "make3") (result (ref $point3))
    (struct.new $point3 (i32.const 1) (i64.const 2) (f64.const 3)))
  (func (export "x") (param (ref null $point)) (result i32)
    (struct.get $point $x (local.get 0)))
  (func (export "keep") (param anyref) (global.set $kept (local.get 0)))
  (func (export "kept") (result anyref) (global.get $kept))
  (func (export "same_any") (param anyref) (result anyref) (local.get 0))
  (func (export "same_extern") (param externref) (result externref) (local.get 0))
  (func (export "is_null") (param anyref) (result i32) (ref.is_null (local.get 0)))
  (func (export "externalize") (param anyref) (result externref)
    (extern.convert_any (local.get 0)))
  (func (export "internalize") (param externref) (result anyref)
    (any.convert_extern (local.get 0)))
  (func (export "churn") (param $n i32)
    (loop $again
      (drop (array.new_default $bytes (i32.const 100)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
 ;; Makes objects, and stores behind each of them: a number, and how large the memory is there.
  (func (export "make_and_store") (param $n i32)
    (loop $again
      (drop (struct.new $point (local.get $n) (i64.const 0)))
      (i32.store (i32.const 65532) (local.get $n))
      (i32.store (i32.const 65528) (memory.size))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "pass") (param anyref) (result anyref) (call $pass (local.get 0)))
  (func (export "typed") (param i32) (result i32)
    (struct.get $point $x (call $typed (struct.new $point (local.get 0) (i64.const 0)))))
  (func (export "typed_null") (result i32) (struct.get $point $x (call $typed (ref.null $point))))
  (func (export "external") (param externref) (result externref) (call $external (local.get 0)))
  (func (export "pick") (param i32 i32) (result i32)
    (call_ref $binary (local.get 0) (local.get 1) (call $pick (ref.func $add))))
 ;; The argument is in no local and no global while the native runs.
  (func (export "argument") (param i32) (result i32)
    (call $alloc (struct.new $point (local.get 0) (i64.const 0)) (i32.const 2000)))
  (func (export "call_field") (param (ref $box)) (result i32)
    (call_ref $binary (i32.const 2) (i32.const 3) (struct.get $box 2 (local.get 0)))))
