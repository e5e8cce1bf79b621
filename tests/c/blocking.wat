;; A guest that waits, wherever a guest can.
(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_open"
    (func $sock_open (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_bind" (func $sock_bind (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_listen" (func $sock_listen (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept"
    (func $sock_accept (param i32 i32 i32) (result i32)))
  (import "env" "ready" (func $ready))
  (import "env" "block" (func $block (result i32)))
  (memory (export "memory") 4)
  ;; An iovec of 4096 bytes at 1024.
  (data (i32.const 0) "\00\04\00\00\00\10\00\00")
  ;; An iovec of 200000 bytes.
  (data (i32.const 32) "\00\04\00\00\40\0d\03\00")
  ;; A subscription to the monotonic clock in an hour, then one to descriptor 0.
  (data (i32.const 64) "\01\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
  (data (i32.const 80) "\01\00\00\00\00\00\00\00\00\a0\b8\30\46\03\00\00")
  (data (i32.const 112) "\02\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00")
  ;; An address: 127.0.0.1, any port.
  (data (i32.const 176) "\00\00\00\00\7f\00\00\01\00\00\00\00")

  ;; Each does not take an interruption for an answer.
  (func (export "read") (result i32)
    (call $ready)
    (loop $again
      (br_if $again
        (i32.eq (i32.const 27)
          (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))))
    (i32.const 1))
  (func (export "write") (result i32)
    (call $ready)
    (loop $again
      (br_if $again
        (i32.eqz (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))
    (i32.const 1))
  ;; More than fits, to where something fits.
  (func (export "pour") (result i32)
    (call $ready)
    (loop $again
      (br_if $again
        (i32.eqz (call $fd_write (i32.const 2) (i32.const 32) (i32.const 1) (i32.const 16)))))
    (i32.const 1))
  (func (export "sleep") (result i32)
    (call $ready)
    (loop $again
      (br_if $again
        (call $poll (i32.const 64) (i32.const 512) (i32.const 1) (i32.const 16))))
    (i32.const 1))
  (func (export "poll") (result i32)
    (call $ready)
    (loop $again
      (br_if $again
        (call $poll (i32.const 64) (i32.const 512) (i32.const 2) (i32.const 16))))
    (i32.const 1))
  (func (export "accept") (result i32)
    (if (call $sock_open (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 20))
      (then (return (i32.const 2))))
    (if (call $sock_bind (i32.load (i32.const 20)) (i32.const 176))
      (then (return (i32.const 3))))
    (if (call $sock_listen (i32.load (i32.const 20)) (i32.const 5))
      (then (return (i32.const 4))))
    (call $ready)
    (loop $again
      (br_if $again
        (i32.eq (i32.const 27)
          (call $sock_accept (i32.load (i32.const 20)) (i32.const 0) (i32.const 24)))))
    (i32.const 1))
  (func (export "native") (result i32)
    (loop $again (br_if $again (i32.eq (i32.const 27) (call $block))))
    (i32.const 1))
)
