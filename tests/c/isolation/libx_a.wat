;; The module "libx" as side A has it.
(module (func (export "answer") (result i32) (i32.const 65)))
