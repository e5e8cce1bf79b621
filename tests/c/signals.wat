;; Thin covers of WASI's functions, for a host that asks what each comes to. The bytes written and
;; the names are at 100; numbers come back at 0.
(module
  (import "wasi_snapshot_preview1" "sock_open"
    (func $sock_open (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_listen" (func $listen (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv"
    (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send"
    (func $send (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pwrite"
    (func $pwrite (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_allocate"
    (func $allocate (param i32 i64 i64) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_set_size"
    (func $resize (param i32 i64) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "env" "puts" (func $puts (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 100) "big")
  (func (export "_start"))
  ;; One buffer of so many bytes.
  (func $buffer (param $len i32)
    (i32.store (i32.const 8) (i32.const 100))
    (i32.store (i32.const 12) (local.get $len)))
  ;; A socket of this kind: 0 for datagrams, 1 for streams.
  (func (export "open") (param $kind i32) (result i32)
    (if (call $sock_open (i32.const 0) (i32.const 0) (local.get $kind) (i32.const 0))
      (then (return (i32.const -1))))
    (i32.load (i32.const 0)))
  ;; A new file in the first directory, to write to, move in, and change the size of.
  (func (export "create") (result i32)
    (if (call $path_open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 3) (i32.const 9)
          (i64.const 0x400164) (i64.const 0) (i32.const 0) (i32.const 0))
      (then (return (i32.const -1))))
    (i32.load (i32.const 0)))
  (func (export "listen") (param $fd i32) (result i32)
    (call $listen (local.get $fd) (i32.const 5)))
  (func (export "accept") (param $fd i32) (result i32)
    (call $accept (local.get $fd) (i32.const 0) (i32.const 0)))
  (func (export "recv") (param $fd i32) (result i32)
    (call $buffer (i32.const 4))
    (call $recv (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 0)
      (i32.const 16) (i32.const 20)))
  (func (export "send") (param $fd i32) (result i32)
    (call $buffer (i32.const 4))
    (call $send (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 0) (i32.const 16)))
  (func (export "write") (param $fd i32) (param $len i32) (result i32)
    (call $buffer (local.get $len))
    (call $write (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 16)))
  (func (export "pwrite") (param $fd i32) (param $offset i32) (result i32)
    (call $buffer (i32.const 4))
    (call $pwrite (local.get $fd) (i32.const 8) (i32.const 1)
      (i64.extend_i32_u (local.get $offset)) (i32.const 16)))
  (func (export "allocate") (param $fd i32) (param $len i32) (result i32)
    (call $allocate (local.get $fd) (i64.const 0) (i64.extend_i32_u (local.get $len))))
  (func (export "resize") (param $fd i32) (param $len i32) (result i32)
    (call $resize (local.get $fd) (i64.extend_i32_u (local.get $len))))
  (func (export "print") (param $times i32) (result i32)
    (loop $again
      (drop (call $puts (i32.const 100)))
      (local.set $times (i32.sub (local.get $times) (i32.const 1)))
      (br_if $again (i32.gt_s (local.get $times) (i32.const 0))))
    (i32.const 0)))
