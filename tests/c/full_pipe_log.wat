;; Does for ever what the runtime logs a line about.
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (memory (export "memory") 1 1 shared)
  (func (export "complain") (loop (drop (call $spawn (i32.const 0))) (br 0)))
)
