(module
  (type $bytes (array i8))
  (func (export "fits") (param i32) (result i32)
    (array.len (array.new_default $bytes (local.get 0)))))
