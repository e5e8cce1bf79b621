;; Prints the names in its first preopened directory, then those of its arguments that it can open
;; there, a line each.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir"
    (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "in /: \nopens: ")

  ;; Pieces of a line: what is said first, a name, the line's end.
  (func $say (param $what i32) (param $what_len i32) (param $name i32) (param $len i32)
    (i32.store (i32.const 64) (local.get $what))
    (i32.store (i32.const 68) (local.get $what_len))
    (i32.store (i32.const 72) (local.get $name))
    (i32.store (i32.const 76) (local.get $len))
    (i32.store (i32.const 80) (i32.const 22))
    (i32.store (i32.const 84) (i32.const 1))
    (drop (call $fd_write (i32.const 1) (i32.const 64) (i32.const 3) (i32.const 0))))

  (func $length (param $text i32) (result i32)
    (local $end i32)
    (local.set $end (local.get $text))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (i32.load8_u (local.get $end))))
        (local.set $end (i32.add (local.get $end) (i32.const 1)))
        (br $next)))
    (i32.sub (local.get $end) (local.get $text)))

  (func $list
    (local $at i32) (local $end i32) (local $len i32)
    (if (call $fd_readdir (i32.const 3) (i32.const 8192) (i32.const 8192) (i64.const 0)
          (i32.const 0))
      (then unreachable))
    (local.set $at (i32.const 8192))
    (local.set $end (i32.add (local.get $at) (i32.load (i32.const 0))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (i32.add (local.get $at) (i32.const 24)) (local.get $end)))
        (local.set $len (i32.load offset=16 (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 24)))
        (call $say (i32.const 16) (i32.const 6) (local.get $at) (local.get $len))
        (local.set $at (i32.add (local.get $at) (local.get $len)))
        (br $next))))

  (func (export "_start")
    (local $arg i32) (local $end i32)
    (call $list)
    (drop (call $args_sizes_get (i32.const 0) (i32.const 4)))
    (drop (call $args_get (i32.const 1024) (i32.const 4096)))
    (local.set $end
      (i32.add (i32.const 1024) (i32.mul (i32.load (i32.const 0)) (i32.const 4))))
    (local.set $arg (i32.const 1028))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $arg) (local.get $end)))
        (if (i32.eqz (call $path_open (i32.const 3) (i32.const 1)
              (i32.load (local.get $arg)) (call $length (i32.load (local.get $arg)))
              (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 0)))
          (then
            (call $say (i32.const 23) (i32.const 7)
              (i32.load (local.get $arg)) (call $length (i32.load (local.get $arg))))))
        (local.set $arg (i32.add (local.get $arg) (i32.const 4)))
        (br $next)))))
