//! The man page and the shells' completions, made from the table of options.
//!
//! `iwasm --generate=KIND` prints them; packages install its output.

use super::options::{self, Opt, USAGE};
use std::fmt::Write;

/// The kinds of help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Artifact {
    Bash,
    Zsh,
    Fish,
    Man,
}

impl Artifact {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "bash" => Self::Bash,
            "zsh" => Self::Zsh,
            "fish" => Self::Fish,
            "man" => Self::Man,
            _ => return None,
        })
    }

    pub fn text(self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = match self {
            Self::Bash => bash(&mut text),
            Self::Zsh => zsh(&mut text),
            Self::Fish => fish(&mut text),
            Self::Man => man(&mut text),
        };
        text
    }
}

/// The completion of an option's value.
fn is_file(opt: &Opt) -> bool {
    opt.value == "FILE"
}

fn is_folder(opt: &Opt) -> bool {
    opt.value == "DIR"
}

fn bash(text: &mut String) -> std::fmt::Result {
    let words: Vec<String> = options::advertised()
        .map(|opt| match (opt.long, opt.value, opt.short) {
            ("", _, short) => format!("-{}=", short.unwrap_or_default()),
            (long, "", _) => format!("--{long}"),
            (long, ..) => format!("--{long}="),
        })
        .collect();
    writeln!(text, "# Completion of iwasm for bash; made by `iwasm --generate=bash`.")?;
    writeln!(text, "_iwasm() {{")?;
    writeln!(text, "    local word=${{COMP_WORDS[COMP_CWORD]}}")?;
    writeln!(text, "    COMPREPLY=()")?;
    writeln!(text, "    if [[ $word == -* ]]; then")?;
    writeln!(text, "        mapfile -t COMPREPLY < <(compgen -W '")?;
    for word in words {
        writeln!(text, "            {word}")?;
    }
    writeln!(text, "        ' -- \"$word\")")?;
    writeln!(text, "        [[ ${{COMPREPLY[0]-}} == *= ]] && compopt -o nospace")?;
    writeln!(text, "    fi")?;
    writeln!(text, "}}")?;
    writeln!(text, "complete -o default -F _iwasm iwasm")
}

fn zsh(text: &mut String) -> std::fmt::Result {
    writeln!(text, "#compdef iwasm")?;
    writeln!(text, "# Completion of iwasm for zsh; made by `iwasm --generate=zsh`.")?;
    writeln!(text, "_arguments -S \\")?;
    for opt in options::advertised() {
        let help = opt.help.replace('\'', "").replace(['[', ']'], "").replace(':', "\\:");
        let action = match opt {
            opt if is_file(opt) => ":_files",
            opt if is_folder(opt) => ":_files -/",
            _ => ":",
        };
        let value = opt.value.replace(':', "\\:");
        let value = if value.is_empty() { value } else { format!(":{value}{action}") };
        let equals = if opt.value.is_empty() { "" } else { "=" };
        if let Some(short) = opt.short {
            let equals = if opt.long.is_empty() { equals } else { "" };
            writeln!(text, "    '-{short}{equals}[{help}]{value}' \\")?;
        }
        if !opt.long.is_empty() {
            writeln!(text, "    '*--{}{equals}[{help}]{value}' \\", opt.long)?;
        }
    }
    writeln!(text, "    '1:program:_files -g \"*.(wasm|aot)\"' \\")?;
    writeln!(text, "    '*:argument:_files'")
}

fn fish(text: &mut String) -> std::fmt::Result {
    writeln!(text, "# Completion of iwasm for fish; made by `iwasm --generate=fish`.")?;
    for opt in options::advertised() {
        write!(text, "complete -c iwasm")?;
        if let Some(short) = opt.short {
            write!(text, " -s {short}")?;
        }
        if !opt.long.is_empty() {
            write!(text, " -l {}", opt.long)?;
        }
        let value = match opt {
            opt if opt.value.is_empty() => "",
            opt if is_file(opt) || is_folder(opt) => " -r -F",
            _ => " -x",
        };
        writeln!(text, "{value} -d '{}'", opt.help.replace('\'', "\\'"))?;
    }
    Ok(())
}

fn man(text: &mut String) -> std::fmt::Result {
    writeln!(text, ".\\\" Made by `iwasm --generate=man`.")?;
    writeln!(text, ".TH IWASM 1 \"\" \"isothread {}\"", env!("CARGO_PKG_VERSION"))?;
    writeln!(text, ".SH NAME\niwasm \\- run WebAssembly programs")?;
    writeln!(text, ".SH SYNOPSIS\n.B {}", roff(USAGE))?;
    writeln!(text, ".SH DESCRIPTION")?;
    writeln!(
        text,
        "Runs the program in\n.IR FILE ,\nwith the arguments that follow it. A program exports\n\
         .B _start\n(WASI programs do) or\n.BR main .\n\
         It reaches only the directories, networks and variables that options give it.\n.PP\n\
         A file that\n.B iwasm compile\nhas made, or\n.BR wamrc (1),\nis run like the program \
         that it was made of.\nIt has machine code: run only those whose source you trust."
    )?;
    writeln!(text, ".SH OPTIONS")?;
    for opt in options::advertised() {
        writeln!(text, ".TP\n.B {}\n{}.", roff(&opt.spelling()), roff(opt.help))?;
    }
    writeln!(text, ".SH EXIT STATUS")?;
    writeln!(text, ".TP\n.B 0\nThe program ended well, or called proc_exit with 0.")?;
    writeln!(text, ".TP\n.B 1\nAn exception ended the program, or an option is wrong.")?;
    writeln!(text, ".TP\n.B 255\nThe program could not be loaded or made ready.")?;
    writeln!(
        text,
        ".TP\n.I other\nThe argument that the program gave to proc_exit, of which eight bits count."
    )?;
    writeln!(text, ".SH EXAMPLES")?;
    for example in [
        "iwasm --dir=. program.wasm input.txt",
        "iwasm -f add library.wasm 1 2",
        "iwasm --threads=8 program.wasm",
        "iwasm compile -o program.aot program.wasm",
    ] {
        writeln!(text, ".PP\n.nf\n{}\n.fi", roff(example))?;
    }
    Ok(())
}

/// Text as roff takes it literally.
fn roff(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('`', "\\(ga")
}
