//! Random bodies: our verdict and our words against those of the validator alone.
//!
//! Bodies are mostly well typed, so that long runs of plain code come about, with a wrong byte
//! here and there.

use super::super::parse::load_error;
use super::super::*;
use super::XorShift;
use wasmparser::{Validator, WasmFeatures};

const I32: u8 = 0x7f;
const I64: u8 = 0x7e;
const F32: u8 = 0x7d;
const F64: u8 = 0x7c;
const NUMBERS: [u8; 4] = [I32, I64, F32, F64];
const FUNCREF: u8 = 0x70;

fn leb(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A body under construction, with the types its author believes to be on the stack.
struct Body<'r> {
    random: &'r mut XorShift,
    code: Vec<u8>,
    stack: Vec<u8>,
    params: Vec<u8>,
    frames: u32,
}

/// Types of the functions a body may call; the body's own type comes first.
fn callees() -> Vec<(Vec<u8>, Vec<u8>)> {
    vec![
        (vec![I32, I32, F64], vec![I64]),
        (vec![], vec![]),
        (vec![I64, I64], vec![I32, F32, F64]),
        (vec![FUNCREF], vec![FUNCREF]),
        (vec![I32; 15], vec![I32; 15]),
        (vec![], vec![I64; 17]),
    ]
}

/// Globals: i32, mutable f64, funcref.
const GLOBALS: [u8; 3] = [I32, F64, FUNCREF];

impl Body<'_> {
    fn locals(&self) -> Vec<u8> {
        // As declared in `module`: parameters, then four groups.
        let mut all = self.params.clone();
        all.extend([I64; 3]);
        all.extend([FUNCREF; 2]);
        all.extend([F32; 130]);
        all.extend([I32; 2]);
        all
    }

    /// Pushes a value of type `ty` in some way.
    fn produce(&mut self, ty: u8) {
        let locals = self.locals();
        let choice = self.random.below(4);
        let of_type: Vec<_> = (0..locals.len()).filter(|&i| locals[i] == ty).collect();
        if choice < 2 && !of_type.is_empty() {
            self.code.push(0x20);
            let index = of_type[self.random.below(of_type.len())];
            leb(&mut self.code, index as u64);
        } else if choice == 2
            && let Some(index) = GLOBALS.iter().position(|&g| g == ty)
        {
            self.code.extend([0x23, index as u8]);
        } else {
            self.constant(ty);
        }
        self.stack.push(ty);
    }

    fn constant(&mut self, ty: u8) {
        match ty {
            I32 | I64 => {
                self.code.push(if ty == I32 { 0x41 } else { 0x42 });
                for _ in 0..self.random.below(5) {
                    self.code.push(0x80 | self.random.next() as u8);
                }
                self.code.push(self.random.next() as u8 & if ty == I32 { 0x07 } else { 0x7f });
            }
            F32 => self.code.extend([0x43, 1, 2, 3, 4]),
            F64 => self.code.extend([0x44, 1, 2, 3, 4, 5, 6, 7, 0x80]),
            _ => self.code.extend([0xd0, FUNCREF]),
        }
    }

    fn operands(&mut self, types: &[u8]) {
        if !self.stack.ends_with(types) || self.random.below(2) == 0 {
            for &ty in types {
                self.produce(ty);
            }
        }
        // Now and then nothing is done about a missing operand.
        self.stack.truncate(self.stack.len().saturating_sub(types.len()));
    }

    fn step(&mut self) {
        match self.random.below(12) {
            0 => {
                let opcode = self.random.next() as u8;
                self.code.push(opcode);
            }
            1 | 2 => {
                let opcode = 0x28 + self.random.below(23) as u8;
                let value = match opcode {
                    0x28 | 0x2c..=0x2f | 0x36 | 0x3a | 0x3b => I32,
                    0x2a | 0x38 => F32,
                    0x2b | 0x39 => F64,
                    _ => I64,
                };
                if opcode < 0x36 {
                    self.operands(&[I32]);
                    self.stack.push(value);
                } else {
                    self.operands(&[I32, value]);
                }
                let align = self.random.below(24) as u8 / 8;
                self.code.extend([opcode, align]);
                let offset = self.random.next() >> self.random.below(64).max(31);
                leb(&mut self.code, offset);
            }
            3 => self.local(),
            4 => self.call(),
            5 => self.frame(),
            6 => {
                self.code.push(0x1a);
                self.stack.pop();
            }
            7 => {
                let ty = NUMBERS[self.random.below(4)];
                self.operands(&[ty, ty, I32]);
                self.code.push(0x1b);
                self.stack.push(ty);
            }
            8 => {
                let ty = NUMBERS[self.random.below(4)];
                self.produce(ty);
            }
            _ => self.operator(),
        }
    }

    fn local(&mut self) {
        let locals = self.locals();
        let wrong = self.random.below(50) == 0;
        let index = if wrong { locals.len() } else { self.random.below(locals.len()) };
        let ty = locals.get(index).copied().unwrap_or(I32);
        self.operands(&[ty]);
        let tee = self.random.below(2) as u8;
        self.code.push(0x21 + tee);
        leb(&mut self.code, index as u64);
        if tee == 1 {
            self.stack.push(ty);
        }
    }

    fn call(&mut self) {
        let callees = callees();
        let wrong = self.random.below(50) == 0;
        let index = if wrong { callees.len() } else { self.random.below(callees.len()) };
        let (params, results) = callees.get(index).cloned().unwrap_or_default();
        self.operands(&params);
        self.code.extend([0x10, index as u8]);
        self.stack.extend(results);
    }

    /// Control: blocks that open and close, branches to some of them.
    fn frame(&mut self) {
        match self.random.below(8) {
            0 | 1 => self.code.extend([0x02, 0x40]),
            2 => self.code.extend([0x03, 0x40]),
            3 => {
                self.operands(&[I32]);
                self.code.extend([0x04, 0x40]);
            }
            4 if self.frames > 0 => {
                self.frames -= 1;
                self.code.push(0x0b);
                return;
            }
            5 => {
                let label = self.random.below(self.frames as usize + 2) as u8;
                self.code.extend([0x0c, label]);
                return;
            }
            _ => {
                self.operands(&[I32]);
                let label = self.random.below(self.frames as usize + 1) as u8;
                self.code.extend([0x0d, label]);
                return;
            }
        }
        self.frames += 1;
    }

    fn operator(&mut self) {
        let opcode = 0x45 + self.random.below(0xc5 - 0x45) as u8;
        let (operand, count, result) = match opcode {
            0x45 | 0x67..=0x69 | 0xc0 | 0xc1 => (I32, 1, I32),
            0x46..=0x4f | 0x6a..=0x78 => (I32, 2, I32),
            0x50 | 0xa7 => (I64, 1, I32),
            0x51..=0x5a => (I64, 2, I32),
            0x5b..=0x60 => (F32, 2, I32),
            0x61..=0x66 => (F64, 2, I32),
            0x79..=0x7b | 0xc2..=0xc4 => (I64, 1, I64),
            0x7c..=0x8a => (I64, 2, I64),
            0x8b..=0x91 => (F32, 1, F32),
            0x92..=0x98 => (F32, 2, F32),
            0x99..=0x9f => (F64, 1, F64),
            0xa0..=0xa6 => (F64, 2, F64),
            0xa8 | 0xa9 | 0xbc => (F32, 1, I32),
            0xaa | 0xab => (F64, 1, I32),
            0xac | 0xad => (I32, 1, I64),
            0xae | 0xaf => (F32, 1, I64),
            0xb0 | 0xb1 | 0xbd => (F64, 1, I64),
            0xb2 | 0xb3 | 0xbe => (I32, 1, F32),
            0xb4 | 0xb5 => (I64, 1, F32),
            0xb6 => (F64, 1, F32),
            0xb7 | 0xb8 => (I32, 1, F64),
            0xb9 | 0xba | 0xbf => (I64, 1, F64),
            _ => (F32, 1, F64),
        };
        self.operands(&[operand; 2][..count]);
        self.code.push(opcode);
        self.stack.push(result);
    }
}

fn section(module: &mut Vec<u8>, id: u8, content: &[u8]) {
    module.push(id);
    leb(module, content.len() as u64);
    module.extend(content);
}

fn types_list(out: &mut Vec<u8>, types: &[u8]) {
    leb(out, types.len() as u64);
    out.extend(types);
}

/// A module whose function 0 has the given code; the others are empty or unreachable.
fn module(code: &[u8], memory: bool) -> Vec<u8> {
    let callees = callees();
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    let mut types = vec![callees.len() as u8];
    let mut funcs = types.clone();
    let mut bodies = types.clone();
    for (index, (params, results)) in callees.iter().enumerate() {
        types.push(0x60);
        types_list(&mut types, params);
        types_list(&mut types, results);
        funcs.push(index as u8);
        let mut body = Vec::new();
        match index {
            0 => {
                body.extend([4, 3, I64, 2, FUNCREF, 0x82, 1, F32, 2, I32]);
                body.extend(code);
            }
            _ => body.extend([0, 0x00, 0x0b]),
        }
        leb(&mut bodies, body.len() as u64);
        bodies.extend(body);
    }
    section(&mut module, 1, &types);
    section(&mut module, 3, &funcs);
    if memory {
        section(&mut module, 5, &[1, 0, 1]);
    }
    let mut globals = vec![3, I32, 0, 0x41, 0, 0x0b, F64, 1, 0x44];
    globals.extend([0; 8]);
    globals.extend([0x0b, FUNCREF, 0, 0xd0, FUNCREF, 0x0b]);
    section(&mut module, 6, &globals);
    section(&mut module, 10, &bodies);
    module
}

fn random_code(random: &mut XorShift) -> Vec<u8> {
    let params = callees()[0].0.clone();
    let mut body = Body { random, code: Vec::new(), stack: Vec::new(), params, frames: 0 };
    for _ in 0..body.random.below(60) {
        // Two thirds of all bodies have no wrong byte.
        if body.random.below(180) == 0 {
            body.code.push(body.random.next() as u8);
        }
        let before = body.code.len();
        body.step();
        // The wrong opcode of a step is rare as well.
        if body.code.len() == before + 1 && body.random.below(20) != 0 {
            body.code.truncate(before);
        }
    }
    for _ in 0..body.frames {
        if body.random.below(300) != 0 {
            body.code.push(0x0b);
        }
    }
    if body.random.below(8) != 0 {
        body.code.push(0x00);
    }
    body.code.push(0x0b);
    body.code
}

#[test]
fn bodies_are_judged_as_the_validator_judges_them() {
    let mut random = XorShift(0x2545_f491_4f6c_dd1d);
    let features: WasmFeatures = Features::default().to_wasm();
    let (mut valid, mut invalid) = (0, 0);
    for round in 0..20_000u32 {
        let code = random_code(&mut random);
        let bytes = module(&code, !round.is_multiple_of(16));
        let theirs = Validator::new_with_features(features).validate_all(&bytes);
        let ours = Module::parse(&bytes, Features::default());
        match (&ours, &theirs) {
            (Ok(_), Ok(_)) => valid += 1,
            (Err(ours), Err(theirs)) => {
                assert_eq!(ours.message(), load_error(theirs).message(), "{code:02x?}");
                invalid += 1;
            }
            (Ok(_), Err(theirs)) => panic!("should be refused: {theirs}\n{code:02x?}"),
            (Err(ours), Ok(_)) => panic!("should be accepted: {ours}\n{code:02x?}"),
        }
    }
    // Enough of both for the comparison to mean something.
    assert!(valid > 1_000 && invalid > 1_000, "{valid} valid, {invalid} invalid");
}
