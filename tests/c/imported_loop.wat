;; What it imports from runs constructors without end.
(module (import "ctors_loop" "f" (func)))
