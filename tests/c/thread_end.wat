;; Ways into host functions that end their thread.
(module
  (import "host" "end" (func $end))
  (import "host" "end_6"
    (func $end_6 (param i32 i64 i32 i64 i32 i64) (result i32)))
  (import "host" "end_mixed" (func $end_mixed (param i32 f64 f32 i64) (result f64)))
  (import "host" "end_many"
    (func $end_many (param i32 i32 i32 i32 i32 i32 i32 i32 f64) (result i64)))
  (import "host" "end_raw" (func $end_raw (param i32) (result i64)))
  (import "host" "nested" (func $nested (param i32)))
  (import "host" "wait" (func $wait (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (table 2 funcref)
  (elem (i32.const 0) $end $add)
  ;; An iovec of one byte at 1024.
  (data (i32.const 0) "\00\04\00\00\01\00\00\00")
  ;; A subscription to the monotonic clock in an hour, then one to descriptor 0.
  (data (i32.const 64) "\01\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
  (data (i32.const 80) "\01\00\00\00\00\00\00\00\00\a0\b8\30\46\03\00\00")
  (data (i32.const 112) "\02\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00")
  (global $calls (mut i32) (i32.const 0))

  (func $add (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))
  (func (export "end") (call $end))
  (func (export "end_6") (result i32)
    (call $end_6 (i32.const 1) (i64.const 2) (i32.const 3) (i64.const 4) (i32.const 5)
      (i64.const 6)))
  (func (export "end_mixed") (result f64)
    (call $end_mixed (i32.const 1) (f64.const 2) (f32.const 3) (i64.const 4)))
  (func (export "end_many") (result i64)
    (call $end_many (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5)
      (i32.const 6) (i32.const 7) (i32.const 8) (f64.const 9)))
  (func (export "end_raw") (result i64) (call $end_raw (i32.const 1)))
  (func (export "end_indirect") (call_indirect (i32.const 0)))
  (func (export "nested") (param i32) (call $nested (local.get 0)))
  (func (export "main") (call $end))
  (func (export "with_many") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32
                              i32 i32) (call $end))
  ;; The guest's own allocator: the third call ends the thread.
  (func (export "malloc") (param i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (if (i32.eq (global.get $calls) (i32.const 3)) (then (call $end)))
    (i32.const 2048))
  (func (export "free") (param i32))

  (func (export "wait") (result i32) (call $wait))
  (func (export "read") (result i32)
    (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
  (func (export "write") (result i32)
    (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
  (func (export "sleep") (result i32)
    (call $poll (i32.const 64) (i32.const 512) (i32.const 1) (i32.const 16)))
  (func (export "poll") (result i32)
    (call $poll (i32.const 64) (i32.const 512) (i32.const 2) (i32.const 16)))
)
