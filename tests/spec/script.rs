//! Runs the directives of one script.

use crate::engine::{Engine, Failure, Value};
use crate::features::{Verdict, judge};
use crate::mode::{Mode, roomy};
use crate::{text, values};
use std::collections::HashMap;
use std::thread::{Scope, ScopedJoinHandle};
use wast::lexer::Lexer;
use wast::parser::{ParseBuffer, parse};
use wast::token::{Id, Span};
use wast::{QuoteWat, QuoteWatTest, Wast, WastDirective, WastExecute, WastInvoke, WastThread, Wat};

/// The outcome of a directive.
pub(crate) enum Outcome {
    Passed,
    /// A text that is no module: it never came to the engine.
    TextOnly,
    /// It needs proposals that the engine does not execute, or a module that does.
    Gated(Vec<&'static str>),
    Failed(String),
}

/// A directive that was run.
pub(crate) struct Done {
    pub at: Span,
    pub is_assertion: bool,
    pub outcome: Outcome,
}

/// A module or an instance, or the missing proposal.
#[derive(Clone)]
enum Entry<T> {
    Live(T),
    Gated(Vec<&'static str>),
}

/// The reason why a directive has no verdict of its own.
enum Stop {
    Gated(Vec<&'static str>),
    Failure(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

type Run<T> = Result<T, Stop>;

fn missing<T>(what: impl Into<String>) -> Run<T> {
    Err(Stop::Failure(Failure::Missing(what.into())))
}

/// The module "spectest" that the suite expects. It prints nothing.
const SPECTEST: &str = r#"(module
    (global (export "global_i32") i32 (i32.const 666))
    (global (export "global_i64") i64 (i64.const 666))
    (global (export "global_f32") f32 (f32.const 666.6))
    (global (export "global_f64") f64 (f64.const 666.6))
    (table (export "table") 10 20 funcref)
    (table (export "table64") i64 10 20 funcref)
    (memory (export "memory") 1 2)
    (memory (export "shared_memory") 1 2 shared)
    (func (export "print"))
    (func (export "print_i32") (param i32))
    (func (export "print_i64") (param i64))
    (func (export "print_f32") (param f32))
    (func (export "print_f64") (param f64))
    (func (export "print_i32_f32") (param i32 f32))
    (func (export "print_f64_f64") (param f64 f64)))"#;

/// The module "wasmtime" that another engine's scripts expect. They ask for collections, which come
/// when they are due here.
const COLLECTOR: &str = r#"(module (func (export "gc")))"#;

pub(crate) fn buffer(text: &str) -> Result<ParseBuffer<'_>, wast::Error> {
    let mut lexer = Lexer::new(text);
    // Scripts about names contain characters that editors should not show unchanged.
    lexer.allow_confusing_unicode(true);
    ParseBuffer::new_with_lexer(lexer)
}

pub(crate) fn directives<'a>(
    buffer: &'a ParseBuffer<'a>,
) -> Result<Vec<WastDirective<'a>>, wast::Error> {
    Ok(parse::<Wast<'a>>(buffer)?.directives)
}

/// The state of a script: its names and their objects.
pub(crate) struct Script<'s, 'e, E: Engine> {
    engine: &'e E,
    mode: Mode,
    /// Where the script's own threads run, and those that were not waited for yet.
    scope: &'s Scope<'s, 'e>,
    threads: HashMap<String, ScopedJoinHandle<'s, Vec<Done>>>,
    /// The results so far, those of threads that were waited for included.
    done: Vec<Done>,
    /// The latest instance.
    current: Option<Entry<E::Instance>>,
    instances: HashMap<String, Entry<E::Instance>>,
    registered: HashMap<String, Entry<E::Instance>>,
    definitions: HashMap<String, Entry<E::Module>>,
    latest_definition: Option<Entry<E::Module>>,
}

impl<'s, 'e, E: Engine> Script<'s, 'e, E> {
    pub(crate) fn new(engine: &'e E, mode: Mode, scope: &'s Scope<'s, 'e>) -> Self {
        let mut script = Self {
            engine,
            mode,
            scope,
            threads: HashMap::new(),
            done: Vec::new(),
            current: None,
            instances: HashMap::new(),
            registered: HashMap::new(),
            definitions: HashMap::new(),
            latest_definition: None,
        };
        for (name, text) in [("spectest", SPECTEST), ("wasmtime", COLLECTOR)] {
            let bytes = roomy(|| wat::parse_str(text)).expect("the module is well formed");
            if let Ok(Entry::Live(instance)) = script.make(&bytes) {
                script.registered.insert(name.to_owned(), Entry::Live(instance));
            }
        }
        script
    }

    /// Runs directives. The results have those of threads, too.
    pub(crate) fn run(mut self, directives: Vec<WastDirective<'s>>) -> Vec<Done> {
        for directive in directives {
            let at = directive.span();
            let is_assertion = is_assertion(&directive);
            let outcome = match self.directive(directive) {
                Ok(outcome) => outcome,
                Err(Stop::Gated(needs)) => Outcome::Gated(needs),
                Err(Stop::Failure(failure)) => Outcome::Failed(failure.to_string()),
            };
            self.done.push(Done { at, is_assertion, outcome });
        }
        // A script need not wait for its threads, but their results count.
        let threads = std::mem::take(&mut self.threads);
        threads.into_values().for_each(|thread| self.join(thread));
        self.done
    }

    fn join(&mut self, thread: ScopedJoinHandle<'s, Vec<Done>>) {
        self.done.extend(thread.join().expect("a script's thread does not panic"));
    }

    fn directive(&mut self, directive: WastDirective<'s>) -> Run<Outcome> {
        match directive {
            WastDirective::Module(module) => self.module(module),
            WastDirective::ModuleDefinition(module) => self.definition(module),
            WastDirective::ModuleInstance { instance, module, .. } => {
                self.instance_of(instance, module)
            }
            WastDirective::AssertMalformedCustom { module, .. }
            | WastDirective::AssertInvalidCustom { module, .. } => self.custom(module),
            WastDirective::AssertMalformed { module, message, .. }
            | WastDirective::AssertInvalid { module, message, .. } => {
                Ok(self.refused(module, message))
            }
            WastDirective::Register { name, module, .. } => {
                let entry = self.entry(module)?.clone();
                let outcome = match &entry {
                    Entry::Live(_) => Outcome::Passed,
                    Entry::Gated(needs) => Outcome::Gated(needs.clone()),
                };
                self.registered.insert(name.to_owned(), entry);
                Ok(outcome)
            }
            WastDirective::Invoke(invoke) => self.invoke(&invoke).map(|_| Outcome::Passed),
            WastDirective::AssertReturn { exec, results, .. } => {
                let got = self.execute(exec)?;
                Ok(match values::matches(&results, &got) {
                    true => Outcome::Passed,
                    false => Outcome::Failed(format!("returned {got:x?}, not {results:x?}")),
                })
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                let result = self.execute(exec);
                self.traps(result, message)
            }
            WastDirective::AssertException { exec, .. } => {
                let result = self.execute(exec);
                self.traps(result, "uncaught wasm exception")
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                let result = self.invoke(&call);
                self.traps(result, message)
            }
            WastDirective::AssertUnlinkable { module, message, .. } => {
                self.unlinkable(module, message)
            }
            WastDirective::Thread(thread) => self.thread(thread),
            WastDirective::Wait { thread, .. } => match self.threads.remove(thread.name()) {
                Some(thread) => {
                    self.join(thread);
                    Ok(Outcome::Passed)
                }
                None => missing("no such thread"),
            },
            other => missing(format!("no such directive here: {other:?}")),
        }
    }

    /// Directives on a thread of their own, which has only the objects shared with it.
    fn thread(&mut self, thread: WastThread<'s>) -> Run<Outcome> {
        let (engine, mode, scope) = (self.engine, self.mode, self.scope);
        let shared = match thread.shared_module {
            Some(id) => Some((id.name(), engine.share(self.live(Some(id))?))),
            None => None,
        };
        let directives = thread.directives;
        let handle = mode.spawn(scope, move || {
            let mut script = Script::new(engine, mode, scope);
            if let Some((name, shared)) = shared {
                script.instances.insert(name.to_owned(), Entry::Live(engine.adopt(shared)));
            }
            script.run(directives)
        });
        self.threads.insert(thread.name.name().to_owned(), handle);
        Ok(Outcome::Passed)
    }

    /// A module that must load and instantiate.
    fn module(&mut self, mut module: QuoteWat<'_>) -> Run<Outcome> {
        let name = module.name().map(|id| id.name().to_owned());
        self.current = None;
        let bytes = encode(|| module.encode())?;
        let entry = self.make(&bytes)?;
        let outcome = match &entry {
            Entry::Live(_) => Outcome::Passed,
            Entry::Gated(needs) => Outcome::Gated(needs.clone()),
        };
        if let Some(name) = name {
            self.instances.insert(name, entry.clone());
        }
        self.current = Some(entry);
        Ok(outcome)
    }

    fn definition(&mut self, mut module: QuoteWat<'_>) -> Run<Outcome> {
        let name = module.name().map(|id| id.name().to_owned());
        self.latest_definition = None;
        let bytes = encode(|| module.encode())?;
        let entry = self.load(&bytes)?;
        let outcome = match &entry {
            Entry::Live(_) => Outcome::Passed,
            Entry::Gated(needs) => Outcome::Gated(needs.clone()),
        };
        if let Some(name) = name {
            self.definitions.insert(name, entry.clone());
        }
        self.latest_definition = Some(entry);
        Ok(outcome)
    }

    fn instance_of(&mut self, name: Option<Id<'_>>, module: Option<Id<'_>>) -> Run<Outcome> {
        let definition = match module {
            Some(id) => self.definitions.get(id.name()),
            None => self.latest_definition.as_ref(),
        };
        let Some(definition) = definition.cloned() else { return missing("no such definition") };
        let entry = match definition {
            Entry::Live(module) => self.instantiate(&module)?,
            Entry::Gated(needs) => Entry::Gated(needs),
        };
        let outcome = match &entry {
            Entry::Live(_) => Outcome::Passed,
            Entry::Gated(needs) => Outcome::Gated(needs.clone()),
        };
        if let Some(name) = name {
            self.instances.insert(name.name().to_owned(), entry.clone());
        }
        self.current = Some(entry);
        Ok(outcome)
    }

    /// Loads a module that is valid, or checks that the engine refuses it for want of a
    /// proposal.
    fn load(&self, bytes: &[u8]) -> Run<Entry<E::Module>> {
        match (roomy(|| judge(bytes)), self.engine.load(bytes)) {
            (Verdict::Needs(needs), Err(Failure::Load(_))) => Ok(Entry::Gated(needs)),
            (Verdict::Needs(needs), _) => missing(format!("loads without {needs:?}")),
            (_, result) => Ok(Entry::Live(result?)),
        }
    }

    fn make(&self, bytes: &[u8]) -> Run<Entry<E::Instance>> {
        match self.load(bytes)? {
            Entry::Live(module) => self.instantiate(&module),
            Entry::Gated(needs) => Ok(Entry::Gated(needs)),
        }
    }

    fn instantiate(&self, module: &E::Module) -> Run<Entry<E::Instance>> {
        for name in self.engine.imports_from(module) {
            if let Some(Entry::Gated(needs)) = self.registered.get(&name) {
                return Ok(Entry::Gated(needs.clone()));
            }
        }
        let resolve = |module: &str, _name: &str| {
            // Scripts of other engines import from instances by the name they have there.
            match self.registered.get(module).or_else(|| self.instances.get(module)) {
                Some(Entry::Live(instance)) => Some(instance.clone()),
                _ => None,
            }
        };
        Ok(Entry::Live(self.engine.instantiate(module, &resolve)?))
    }

    /// A module with a fault in an annotation or a custom section. Engines may ignore these, so the
    /// binary must load.
    fn custom(&self, mut module: QuoteWat<'_>) -> Run<Outcome> {
        let Some(bytes) = binary(&mut module) else { return Ok(Outcome::TextOnly) };
        match self.load(&bytes)? {
            Entry::Live(_) => Ok(Outcome::Passed),
            Entry::Gated(needs) => Ok(Outcome::Gated(needs)),
        }
    }

    /// A module that must be refused at load.
    fn refused(&self, mut module: QuoteWat<'_>, message: &str) -> Outcome {
        let Some(bytes) = binary(&mut module) else { return Outcome::TextOnly };
        match self.engine.load(&bytes) {
            Ok(_) => Outcome::Failed(format!("loads, but: {message}")),
            // Refused, but for the wrong reason: the fault itself was not looked at.
            Err(Failure::Load(_)) => match roomy(|| judge(&bytes)) {
                Verdict::Needs(needs) => Outcome::Gated(needs),
                Verdict::Invalid(Some(missing)) => Outcome::Gated(vec![missing]),
                _ => Outcome::Passed,
            },
            Err(other) => Outcome::Failed(format!("{other}, instead of a load error")),
        }
    }

    fn unlinkable(&mut self, mut module: Wat<'_>, message: &str) -> Run<Outcome> {
        let bytes = encode(|| module.encode())?;
        match self.make(&bytes) {
            Ok(Entry::Live(_)) => Ok(Outcome::Failed(format!("links, but: {message}"))),
            Ok(Entry::Gated(needs)) => Ok(Outcome::Gated(needs)),
            Err(Stop::Failure(Failure::Link(ours))) if text::agrees(message, &ours) => {
                Ok(Outcome::Passed)
            }
            Err(stop) => Err(stop),
        }
    }

    fn traps(&self, result: Run<Vec<Value>>, message: &str) -> Run<Outcome> {
        match result {
            Ok(values) => Ok(Outcome::Failed(format!("returned {values:x?}, but: {message}"))),
            Err(Stop::Failure(Failure::Trap(ours))) => Ok(match text::agrees(message, &ours) {
                true => Outcome::Passed,
                false => Outcome::Failed(format!("trapped with {ours:?}, not {message:?}")),
            }),
            Err(stop) => Err(stop),
        }
    }

    fn execute(&mut self, exec: WastExecute<'_>) -> Run<Vec<Value>> {
        match exec {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Get { module, global, .. } => {
                Ok(vec![self.engine.get(self.live(module)?, global)?])
            }
            WastExecute::Wat(mut module) => {
                let bytes = encode(|| module.encode())?;
                match self.make(&bytes)? {
                    Entry::Live(_) => Ok(Vec::new()),
                    Entry::Gated(needs) => Err(Stop::Gated(needs)),
                }
            }
        }
    }

    fn invoke(&self, invoke: &WastInvoke<'_>) -> Run<Vec<Value>> {
        let instance = self.live(invoke.module)?;
        let args = values::arguments(&invoke.args).map_err(Failure::Missing)?;
        Ok(self.engine.invoke(instance, invoke.name, &args)?)
    }

    fn entry(&self, name: Option<Id<'_>>) -> Run<&Entry<E::Instance>> {
        let entry = match name {
            Some(id) => self.instances.get(id.name()),
            None => self.current.as_ref(),
        };
        match entry {
            Some(entry) => Ok(entry),
            None => missing("no such instance"),
        }
    }

    fn live(&self, name: Option<Id<'_>>) -> Run<&E::Instance> {
        match self.entry(name)? {
            Entry::Live(instance) => Ok(instance),
            Entry::Gated(needs) => Err(Stop::Gated(needs.clone())),
        }
    }
}

fn encode(text: impl FnOnce() -> Result<Vec<u8>, wast::Error> + Send) -> Run<Vec<u8>> {
    match roomy(text) {
        Ok(bytes) => Ok(bytes),
        Err(error) => missing(error.to_string()),
    }
}

/// The binary of a module with a fault; none if its text is the fault. Quoted text is about the
/// text format, but may come out as a binary all the same.
fn binary(module: &mut QuoteWat<'_>) -> Option<Vec<u8>> {
    roomy(|| match module.to_test().ok()? {
        QuoteWatTest::Binary(bytes) => Some(bytes),
        QuoteWatTest::Text(_) => module.encode().ok(),
    })
}

fn is_assertion(directive: &WastDirective<'_>) -> bool {
    !matches!(
        directive,
        WastDirective::Module(_)
            | WastDirective::ModuleDefinition(_)
            | WastDirective::ModuleInstance { .. }
            | WastDirective::Register { .. }
            | WastDirective::Invoke(_)
            | WastDirective::Thread(_)
            | WastDirective::Wait { .. }
    )
}
