;; A start function that calls a host function which ends its thread.
(module
  (import "host" "end" (func $end))
  (func $start (call $end))
  (start $start))
