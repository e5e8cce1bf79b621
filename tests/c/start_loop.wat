;; Its start function says that it runs, and does not end by itself.
(module
  (import "env" "ready" (func $ready))
  (func $start (call $ready) (loop (br 0)))
  (start $start))
