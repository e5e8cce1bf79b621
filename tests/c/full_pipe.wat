;; Prints for ever, in ways that fill the buffer of standard output sooner or later.
(module
  (import "env" "printf" (func $printf (param i32 i32) (result i32)))
  (import "env" "puts" (func $puts (param i32) (result i32)))
  (import "env" "putchar" (func $putchar (param i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 64) "%s\00")
  (data (i32.const 80) "\00\04\00\00")
  (func $start
    ;; A text of 100,000 bytes.
    (memory.fill (i32.const 1024) (i32.const 97) (i32.const 100000)))
  (start $start)
  (func (export "puts_long") (loop (drop (call $puts (i32.const 1024))) (br 0)))
  (func (export "puts_short") (loop (drop (call $puts (i32.const 101000))) (br 0)))
  (func (export "printf") (loop (drop (call $printf (i32.const 64) (i32.const 80))) (br 0)))
  (func (export "putchar") (loop (drop (call $putchar (i32.const 97))) (br 0)))
)
