//! Scripts that another tool has turned into JSON and binaries, because crate `wast`
//! cannot read their text. They are made scripts again, with the modules as bytes.

use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The script that `json` describes; its modules lie in `folder`. Each directive stands on the line
/// that it had in the original.
pub(crate) fn script(json: &str, folder: &Path) -> String {
    let json: Value = serde_json::from_str(json).expect("JSON");
    let mut text = String::new();
    let mut line = 1;
    for command in list(&json["commands"]) {
        let at = command["line"].as_u64().expect("a command has a line");
        while line < at {
            text.push('\n');
            line += 1;
        }
        text.push_str(&directive(command, folder));
    }
    text
}

/// A kind of command or an attribute of one that is not known here fails the test.
fn directive(command: &Value, folder: &Path) -> String {
    assert!(command["name"].is_null() && command["action"]["module"].is_null(), "{command}");
    let kind = word(&command["type"]);
    let module = || module(command, folder);
    let action = || action(&command["action"]);
    let message = || quoted(word(&command["text"]).as_bytes());
    match kind {
        "module" => module(),
        "register" => format!("(register {})", quoted(word(&command["as"]).as_bytes())),
        "assert_return" => format!("({kind} {} {})", action(), constants(&command["expected"])),
        "assert_exception" => format!("({kind} {})", action()),
        "assert_trap" => format!("({kind} {} {})", action(), message()),
        "assert_invalid" | "assert_malformed" => format!("({kind} {} {})", module(), message()),
        _ => panic!("an unknown command: {command}"),
    }
}

fn module(command: &Value, folder: &Path) -> String {
    let name = word(&command["filename"]);
    let bytes = fs::read(folder.join(name)).expect("a script's module is readable");
    let form = if name.ends_with(".wat") { "quote" } else { "binary" };
    format!("(module {form} {})", quoted(&bytes))
}

fn action(action: &Value) -> String {
    assert_eq!(word(&action["type"]), "invoke", "an unknown action");
    let field = quoted(word(&action["field"]).as_bytes());
    format!("(invoke {field} {})", constants(&action["args"]))
}

/// Constants; JSON has their bits as a number, or the kind of NaN.
fn constants(values: &Value) -> String {
    let constant = |value: &Value| {
        let (ty, bits) = (word(&value["type"]), word(&value["value"]));
        let number = match ty {
            _ if bits.starts_with("nan:") => bits.to_owned(),
            "i32" | "i64" => bits.to_owned(),
            "f32" => float(f32::from_bits(bits.parse().expect("32 bits")).into()),
            "f64" => float(f64::from_bits(bits.parse().expect("64 bits"))),
            _ => panic!("an unknown type: {value}"),
        };
        format!("({ty}.const {number})")
    };
    list(values).iter().map(constant).collect::<Vec<_>>().join(" ")
}

/// A finite number in the text format, with the digits that make it read back as the same bits.
fn float(value: f64) -> String {
    assert!(value.is_finite(), "a NaN or an infinity");
    format!("{value:e}")
}

/// A string literal with every byte escaped.
fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for byte in bytes {
        write!(text, "\\{byte:02x}").expect("strings can be written to");
    }
    text.push('"');
    text
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn word(value: &Value) -> &str {
    value.as_str().expect("a string")
}
