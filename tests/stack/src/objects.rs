//! Objects of guests, made and looked into in every form; old ones are freed again and again.

use crate::forms::{Loop, operands, results};

/// Types of fields, what their values are on the operand stack, and the names of instructions that
/// read them.
pub const FIELDS: [(&str, &str, &[&str]); 8] = [
    ("i8", "i32", &["get_s", "get_u"]),
    ("i16", "i32", &["get_s", "get_u"]),
    ("i32", "i32", &["get"]),
    ("i64", "i64", &["get"]),
    ("f32", "f32", &["get"]),
    ("f64", "f64", &["get"]),
    ("v128", "v128", &["get"]),
    ("(ref null $pair)", "pair", &["get"]),
];

/// A struct with a field of each type, and an array of each type.
pub fn types() -> String {
    let mut text = String::from("(type $all (struct");
    for (field, ..) in FIELDS {
        text.push_str(&format!(" (field (mut {field}))"));
    }
    text.push_str("))");
    for (number, (field, ..)) in FIELDS.iter().enumerate() {
        text.push_str(&format!("(type $array{number} (array (mut {field})))"));
    }
    text.push_str(
        "(type $base (sub (struct (field i32))))
        (type $middle (sub $base (struct (field i32) (field i64))))
        (type $last (sub final $middle (struct (field i32) (field i64))))",
    );
    text
}

/// Locals of each function with objects in them.
pub fn locals() -> (String, String) {
    let (mut locals, mut start) = (String::new(), String::new());
    locals.push_str("(local $pair (ref null $pair)) (local $all (ref null $all))");
    start.push_str("(local.set $pair (struct.new $pair (i32.const 7) (ref.null $pair)))");
    start.push_str("(local.set $all (struct.new_default $all))");
    for number in 0..FIELDS.len() {
        locals.push_str(&format!("(local $array{number} (ref null $array{number}))"));
        start.push_str(&format!(
            "(local.set $array{number} (array.new_default $array{number} (i32.const 20)))"
        ));
    }
    locals.push_str("(local $base (ref null $base)) (local $last (ref null $last))");
    start.push_str("(local.set $last (struct.new $last (i32.const 7) (i64.const 8)))");
    start.push_str("(local.set $base (struct.new $middle (i32.const 7) (i64.const 8)))");
    (locals, start)
}

/// An object in a local, and one that the instruction before has made.
fn objects(local: &str, ty: &str) -> [String; 2] {
    [format!("(local.get {local})"), format!("(ref.as_non_null (local.tee {local} {}))", made(ty))]
}

fn made(ty: &str) -> String {
    match ty {
        "$all" => "(struct.new_default $all)".to_owned(),
        array => format!("(array.new_default {array} (i32.const 20))"),
    }
}

fn values(ty: &str) -> Vec<String> {
    match ty {
        "pair" => vec![
            "(local.get $pair)".to_owned(),
            "(ref.null $pair)".to_owned(),
            "(struct.get $pair 1 (local.get $pair))".to_owned(),
        ],
        ty => operands(ty).to_vec(),
    }
}

fn used(ty: &str, value: &str, all: &mut Vec<Loop>) {
    match ty {
        "pair" => {
            all.push(Loop { body: format!("(drop {value})") });
            all.push(Loop { body: format!("(local.set $pair {value})") });
            all.push(Loop { body: format!("(local.set $x_i32 (ref.is_null {value}))") });
        }
        ty => all.extend(results(ty, value)),
    }
}

pub fn loops(all: &mut Vec<Loop>) {
    for (number, (_, ty, gets)) in FIELDS.iter().enumerate() {
        let array = format!("$array{number}");
        for get in *gets {
            for object in objects("$all", "$all") {
                used(ty, &format!("(struct.{get} $all {number} {object})"), all);
            }
            for (object, index) in objects(&array, &array)
                .iter()
                .flat_map(|object| operands("i32").map(|index| (object.clone(), index)))
            {
                let index = format!("(i32.and {index} (i32.const 15))");
                used(ty, &format!("(array.{get} {array} {object} {index})"), all);
                used(ty, &format!("(array.{get} {array} {object} (local.get $a_i32))"), all);
            }
        }
        for value in values(ty) {
            for object in objects("$all", "$all") {
                let body = format!("(struct.set $all {number} {object} {value})");
                all.push(Loop { body });
            }
            for index in ["(local.get $a_i32)", "(i32.const 3)"] {
                let body = format!("(array.set {array} (local.get {array}) {index} {value})");
                all.push(Loop { body });
            }
        }
        for object in objects(&array, &array) {
            all.extend(results("i32", &format!("(array.len {object})")));
        }
    }
    for ty in ["$base", "$middle", "$last"] {
        for object in ["(local.get $base)", "(local.get $last)", "(global.get $g_base)"] {
            for null in ["", "null"] {
                all.extend(results("i32", &format!("(ref.test (ref {null} {ty}) {object})")));
            }
        }
        let body = format!("(drop (ref.cast (ref {ty}) (local.get $last)))");
        all.push(Loop { body });
    }
    for fields in 0..FIELDS.len() {
        // With and without a vector.
        let values: String =
            FIELDS[..fields].iter().map(|(_, ty, _)| values(ty)[0].clone()).collect();
        let defaults = FIELDS[fields..].iter().map(|(_, ty, _)| match *ty {
            "pair" => "(ref.null $pair)".to_owned(),
            ty => operands(ty)[1].clone(),
        });
        let rest: String = defaults.collect();
        all.push(Loop { body: format!("(local.set $all (struct.new $all {values}{rest}))") });
    }
    all.extend(SINGLE.map(|body| Loop { body: body.into() }));
}

const SINGLE: [&str; 9] = [
    "(local.set $last (struct.new $last (local.get $a_i32) (i64.const 3)))",
    "(local.set $x_i32 (ref.eq (local.get $base) (local.get $last)))",
    "(local.set $x_i32 (i31.get_s (ref.i31 (local.get $a_i32))))",
    "(local.set $x_i32 (i31.get_u (ref.i31 (i32.const 3))))",
    "(local.set $x_i32 (ref.test (ref i31) (ref.i31 (local.get $a_i32))))",
    "(local.set $x_i32 (i31.get_u (ref.cast (ref i31) (ref.i31 (local.get $a_i32)))))",
    "(local.set $x_i32 (struct.get $pair 0
        (struct.new $pair (local.get $a_i32) (ref.null $pair))))",
    "(local.set $x_i32 (array.get_u $bytes_array
        (array.new $bytes_array (local.get $a_i32) (i32.const 9)) (i32.const 8)))",
    "(drop (block $is (result (ref $pair))
        (drop (br_on_cast $is anyref (ref $pair)
            (struct.new $pair (i32.const 1) (ref.null $pair)))) (unreachable)))",
];
