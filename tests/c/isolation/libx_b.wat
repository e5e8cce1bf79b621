;; The module "libx" as side B has it.
(module (func (export "answer") (result i32) (i32.const 66)))
