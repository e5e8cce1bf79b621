;; A guest of the pthread library: 0 is a mutex, 4 a value, 100 a name.
(module
  (import "env" "pthread_mutex_init" (func $mutex_init (param i32 i32) (result i32)))
  (import "env" "sem_open" (func $sem_open (param i32 i32 i32 i32) (result i32)))
  (import "env" "sem_post" (func $sem_post (param i32) (result i32)))
  (import "env" "sem_getvalue" (func $sem_getvalue (param i32 i32) (result i32)))
  (memory (export "memory") 1 1 shared)
  (data (i32.const 100) "name\00")
  (func (export "mutex") (result i32)
    (drop (call $mutex_init (i32.const 0) (i32.const 8)))
    (i32.load (i32.const 0)))
  ;; O_CREAT, mode 0600, value 0
  (func (export "open") (result i32)
    (call $sem_open (i32.const 100) (i32.const 64) (i32.const 384) (i32.const 0)))
  (func (export "post") (param i32) (result i32) (call $sem_post (local.get 0)))
  (func (export "value") (param i32) (result i32)
    (if (result i32) (call $sem_getvalue (local.get 0) (i32.const 4))
      (then (i32.const -1))
      (else (i32.load (i32.const 4))))))
