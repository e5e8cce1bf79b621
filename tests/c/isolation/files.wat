;; A program of Emscripten that opens, reads, writes and closes files by their handles.
(module
  (import "env" "fopen" (func $fopen (param i32 i32) (result i32)))
  (import "env" "fread" (func $fread (param i32 i32 i32 i32) (result i32)))
  (import "env" "emcc_fwrite" (func $fwrite (param i32 i32 i32 i32) (result i32)))
  (import "env" "fseeko" (func $fseeko (param i32 i64 i32) (result i32)))
  (import "env" "feof" (func $feof (param i32) (result i32)))
  (import "env" "fclose" (func $fclose (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "/file\00w+\00")
  (func (export "open") (result i32) (call $fopen (i32.const 16) (i32.const 22)))
  ;; Writes one byte.
  (func (export "write") (param $file i32) (param $byte i32) (result i32)
    (i32.store8 (i32.const 32) (local.get $byte))
    (call $fwrite (i32.const 32) (i32.const 1) (i32.const 1) (local.get $file)))
  ;; The file's first byte, 0 without one.
  (func (export "first") (param $file i32) (result i32)
    (i32.store8 (i32.const 33) (i32.const 0))
    (drop (call $fseeko (local.get $file) (i64.const 0) (i32.const 0)))
    (drop (call $fread (i32.const 33) (i32.const 1) (i32.const 1) (local.get $file)))
    (i32.load8_u (i32.const 33)))
  (func (export "at_end") (param i32) (result i32) (call $feof (local.get 0)))
  (func (export "close") (param i32) (result i32) (call $fclose (local.get 0))))
