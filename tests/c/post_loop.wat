;; As start_loop, in what runs after it.
(module
  (import "env" "ready" (func $ready))
  (func (export "__post_instantiate") (call $ready) (loop (br 0))))
