;; A guest for threads of the host's: sums up numbers with a global of its own, on a stack of its
;; own, and can be made to trap or to go on for good.
(module
    (import "host" "told" (func $told (result i32)))
    (memory (export "memory") 1 4 shared)
    (global $stack (mut i32) (i32.const 32768))
    (global (export "__heap_base") i32 (i32.const 32768))
    (global (export "__data_end") i32 (i32.const 1024))
    (global $sum (mut i32) (i32.const 0))
    (func (export "sum") (param $start i32) (param $length i32) (result i32)
        (loop
            (global.set $sum (i32.add (global.get $sum) (local.get $start)))
            (local.set $start (i32.add (local.get $start) (i32.const 1)))
            (br_if 0 (local.tee $length (i32.sub (local.get $length) (i32.const 1)))))
        (drop (i32.atomic.rmw.add (i32.const 0) (global.get $sum)))
        (global.get $sum))
    (func (export "total") (result i32) (i32.atomic.load (i32.const 0)))
    (func (export "stack") (result i32) (global.get $stack))
    (func (export "ask") (result i32) (call $told))
    (func (export "wait") (result i32)
        (memory.atomic.wait32 (i32.const 4) (i32.const 0) (i64.const -1)))
    (func (export "spin") (loop (br 0)))
    (func (export "trap") unreachable))
