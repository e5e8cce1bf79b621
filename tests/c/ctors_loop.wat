;; As start_loop, in constructors. A module can import from it.
(module
  (import "env" "ready" (func $ready))
  (func (export "f"))
  (func (export "__wasm_call_ctors") (call $ready) (loop (br 0))))
