;; Calls what the importing module has put into the table.
(module
  (type $turn (func (param i32) (result i32)))
  (table (export "table") 2 funcref)
  (func (export "pass") (param i32 i64 i32) (result i32)
    (return_call_indirect (type $turn) (local.get 0) (local.get 2)))
)
