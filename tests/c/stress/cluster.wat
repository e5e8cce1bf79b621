;; The same guest on a shared memory, with threads that pass a turn on to each other (the word at
;; 0), add up numbers (the word at 8), and count who has ended (the word at 16).
(module
  (import "host" "secret" (func $secret (result i64)))
  (import "host" "nest" (func $nest (param i32) (result i32)))
  (import "wasi" "thread-spawn" (func $thread_spawn (param i32) (result i32)))
  (memory (export "memory") 1 6 shared)
  (func (export "secret") (result i64) (call $secret))
  (func (export "nest") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
    (i32.add (i32.const 1) (call $nest (i32.sub (local.get 0) (i32.const 1)))))
  (func $end (result i32) (i32.mul (memory.size) (i32.const 65536)))
  (func (export "fill") (param i64) (local i32)
    (local.set 1 (i32.const 1024))
    (loop $next
      (i64.store (local.get 1) (local.get 0))
      (local.set 1 (i32.add (local.get 1) (i32.const 256)))
      (br_if $next (i32.lt_u (local.get 1) (call $end)))))
  (func (export "count") (param i64) (result i32) (local i32 i32)
    (local.set 1 (i32.const 1024))
    (loop $next
      (local.set 2
        (i32.add (local.get 2) (i64.eq (i64.load (local.get 1)) (local.get 0))))
      (local.set 1 (i32.add (local.get 1) (i32.const 256)))
      (br_if $next (i32.lt_u (local.get 1) (call $end))))
    (local.get 2))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))

  ;; Waits for its turn and passes it on, so many times.
  (func (export "pass") (param $me i32) (param $all i32) (param $rounds i32) (local $turn i32)
    (loop $round
      (block $mine
        (loop $again
          (local.set $turn (i32.atomic.load (i32.const 0)))
          (br_if $mine (i32.eq (local.get $turn) (local.get $me)))
          (drop (memory.atomic.wait32 (i32.const 0) (local.get $turn) (i64.const -1)))
          (br $again)))
      (i32.atomic.store (i32.const 0)
        (i32.rem_u (i32.add (local.get $me) (i32.const 1)) (local.get $all)))
      (drop (memory.atomic.notify (i32.const 0) (i32.const -1)))
      (br_if $round
        (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1))))))

  (func (export "wasi_thread_start") (param $id i32) (param $number i32)
    (if (i32.eqz (local.get $number)) (then
      (drop (i32.atomic.rmw.add (i32.const 32) (i32.const 1)))
      (drop (memory.atomic.notify (i32.const 32) (i32.const 1)))
      (drop (memory.atomic.wait32 (i32.const 24) (i32.const 0) (i64.const -1)))
      (return)))
    (drop (i32.atomic.rmw.add (i32.const 8) (local.get $number)))
    (drop (i32.atomic.rmw.add (i32.const 16) (i32.const 1)))
    (drop (memory.atomic.notify (i32.const 16) (i32.const 1))))
  ;; Starts so many threads with the numbers from 1 on, and waits until all have added theirs.
  ;; The result is the sum, or -1 if a thread did not start.
  (func (export "start") (param $all i32) (result i32) (local $number i32) (local $ended i32)
    (i32.atomic.store (i32.const 8) (i32.const 0))
    (i32.atomic.store (i32.const 16) (i32.const 0))
    (loop $next
      (local.set $number (i32.add (local.get $number) (i32.const 1)))
      (if (i32.lt_s (call $thread_spawn (local.get $number)) (i32.const 0))
        (then (return (i32.const -1))))
      (br_if $next (i32.lt_u (local.get $number) (local.get $all))))
    (block $complete
      (loop $again
        (local.set $ended (i32.atomic.load (i32.const 16)))
        (br_if $complete (i32.eq (local.get $ended) (local.get $all)))
        (drop (memory.atomic.wait32 (i32.const 16) (local.get $ended) (i64.const -1)))
        (br $again)))
    (i32.atomic.load (i32.const 8)))

  ;; Starts so many threads that wait, and lets them end; the results are how many have begun,
  ;; and how many waited.
  (func (export "linger") (param $all i32) (result i32) (local $started i32) (local $begun i32)
    (i32.atomic.store (i32.const 24) (i32.const 0))
    (i32.atomic.store (i32.const 32) (i32.const 0))
    (block $full
      (loop $next
        (br_if $full (i32.eq (local.get $started) (local.get $all)))
        (br_if $full (i32.lt_s (call $thread_spawn (i32.const 0)) (i32.const 0)))
        (local.set $started (i32.add (local.get $started) (i32.const 1)))
        (br $next)))
    (block $complete
      (loop $again
        (local.set $begun (i32.atomic.load (i32.const 32)))
        (br_if $complete (i32.eq (local.get $begun) (local.get $started)))
        (drop (memory.atomic.wait32 (i32.const 32) (local.get $begun) (i64.const -1)))
        (br $again)))
    (local.get $started))
  (func (export "let_go") (result i32)
    (i32.atomic.store (i32.const 24) (i32.const 1))
    (memory.atomic.notify (i32.const 24) (i32.const -1)))

  (func (export "wait")
    (drop (memory.atomic.wait32 (i32.const 24) (i32.const 0) (i64.const -1))))
  (func (export "spin") (loop (br 0)))
  (func (export "trap") unreachable))
