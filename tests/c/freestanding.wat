;; A guest without a C library of its own: what it calls from "env" is the runtime's.
(module
  (import "env" "printf" (func $printf (param i32 i32) (result i32)))
  (import "env" "puts" (func $puts (param i32) (result i32)))
  (import "env" "strdup" (func $strdup (param i32) (result i32)))
  (import "env" "strlen" (func $strlen (param i32) (result i32)))
  (import "env" "calloc" (func $calloc (param i32 i32) (result i32)))
  (import "env" "realloc" (func $realloc (param i32 i32) (result i32)))
  (import "env" "free" (func $free (param i32)))
  (import "env" "abort" (func $abort (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "%d guests, %s, %.2f\n\00")
  (data (i32.const 128) "a line\00")
  (data (i32.const 256) "\03\00\00\00\80\00\00\00\00\00\00\00\00\00\04\40")
  ;; "3 guests, a line, 2.50"
  (func (export "print") (result i32)
    (drop (call $puts (i32.const 128)))
    (call $printf (i32.const 64) (i32.const 256)))
  ;; Copies a text, grows the copy, and measures it.
  (func (export "copy") (result i32) (local $copy i32) (local $len i32)
    (local.set $copy (call $strdup (i32.const 128)))
    (local.set $copy (call $realloc (local.get $copy) (i32.const 1000)))
    (local.set $len (call $strlen (local.get $copy)))
    (call $free (local.get $copy))
    (local.get $len))
  ;; What `calloc` gives is zero.
  (func (export "cleared") (result i32) (local $block i32)
    (local.set $block (call $calloc (i32.const 16) (i32.const 4)))
    (i32.or
      (i32.load (local.get $block))
      (i32.load offset=60 (local.get $block))))
  (func (export "give_up") (call $abort (i32.const -7)))
  (func (export "wild") (result i32) (call $strlen (i32.const 0x7fffffff))))
