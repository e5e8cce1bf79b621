(module
  (import "other" "code" (tag (param i64))))
