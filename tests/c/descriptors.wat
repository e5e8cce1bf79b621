;; What guests do with descriptors; each function returns WASI's error, or what it was asked for.
(module
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $stat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $set (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_open"
    (func $sock_open (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (data (i32.const 32) ".")
  (func (export "_start"))
  (func (export "set_flags") (param i32 i32) (result i32) (call $set (local.get 0) (local.get 1)))
  (func (export "flags") (param i32) (result i32)
    (drop (call $stat (local.get 0) (i32.const 0)))
    (i32.load16_u (i32.const 2)))
  (func (export "close") (param i32) (result i32) (call $close (local.get 0)))
  ;; Until that fails.
  (func (export "open_sockets") (result i32) (local $error i32)
    (loop $more
      (local.set $error
        (call $sock_open (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
      (br_if $more (i32.eqz (local.get $error))))
    (local.get $error))
  ;; The same with the first preopened directory itself.
  (func (export "open_directories") (result i32) (local $error i32)
    (loop $more
      (local.set $error
        (call $path_open (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 1) (i32.const 0)
          (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0)))
      (br_if $more (i32.eqz (local.get $error))))
    (local.get $error))
  ;; Once, as much as the last parameter says; the error's negative, or how much it was.
  (func $transfer (export "write") (param $fd i32) (param $len i32) (result i32)
    (local $error i32)
    (i32.store (i32.const 8) (i32.const 65536))
    (i32.store (i32.const 12) (local.get $len))
    (local.set $error
      (call $write (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 16)))
    (if (result i32) (local.get $error)
      (then (i32.sub (i32.const 0) (local.get $error)))
      (else (i32.load (i32.const 16)))))
  (func (export "read") (param $fd i32) (param $len i32) (result i32)
    (local $error i32)
    (i32.store (i32.const 8) (i32.const 65536))
    (i32.store (i32.const 12) (local.get $len))
    (local.set $error
      (call $read (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 16)))
    (if (result i32) (local.get $error)
      (then (i32.sub (i32.const 0) (local.get $error)))
      (else (i32.load (i32.const 16)))))
  ;; Pages of 4 KiB until so many were written or one was not: the first error.
  (func (export "write_pages") (param $fd i32) (param $pages i32) (result i32)
    (local $done i32)
    (loop $more
      (local.set $done (call $transfer (local.get $fd) (i32.const 4096)))
      (if (i32.ne (local.get $done) (i32.const 4096)) (then (return (local.get $done))))
      (local.set $pages (i32.sub (local.get $pages) (i32.const 1)))
      (br_if $more (local.get $pages)))
    (i32.const 0)))
