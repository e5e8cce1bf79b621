//! Random graphs of objects against a model in a map.

use super::StorageKind::*;
use super::*;
use std::collections::{HashMap, HashSet};

/// An object of the model: what it holds, references as numbers of objects, 0 for null.
struct Node {
    word: u64,
    refs: Vec<u32>,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Struct,
    Array,
    /// Its references never change.
    Exception,
}

struct Graph {
    heap: GcHeap,
    layouts: Vec<StructLayout>,
    nodes: HashMap<u32, Node>,
    roots: Vec<u32>,
    next: u32,
}

const STEPS: usize = if cfg!(miri) { 300 } else { 30_000 };

impl Graph {
    fn new(limit: u64) -> Self {
        // Struct `n` has `n` references and a number among them.
        let kinds = |refs: usize| {
            let mut kinds = vec![Ref; refs];
            kinds.insert(refs / 2, I32);
            kinds.extend([V128, I8]);
            kinds
        };
        let layouts = (0..6).map(|refs| layout(&kinds(refs))).collect();
        let (nodes, roots) = (HashMap::new(), Vec::new());
        Self { heap: GcHeap::new(limit, 9), layouts, nodes, roots, next: 1 }
    }

    fn words(&self) -> Vec<u64> {
        self.roots.iter().map(|root| self.word(*root)).collect()
    }

    fn word(&self, id: u32) -> u64 {
        if id == 0 { 0 } else { self.nodes[&id].word }
    }

    /// Objects that the roots lead to, by the model.
    fn reachable(&self) -> HashSet<u32> {
        let (mut found, mut left) = (HashSet::new(), self.roots.clone());
        while let Some(id) = left.pop() {
            if id != 0 && found.insert(id) {
                left.extend(&self.nodes[&id].refs);
            }
        }
        found
    }

    fn collect(&mut self, random: &mut Random) {
        let words = self.words();
        if random.below(3) == 0 {
            // A few that are abandoned first.
            let stop_at = 1 + random.below(4);
            if collect_until(&mut self.heap, &words, stop_at).is_err() {
                self.check();
            }
        }
        collect(&mut self.heap, &words);
        let reachable = self.reachable();
        for (id, node) in &self.nodes {
            let live = self.heap.is_live(GcRef::from_word(node.word).unwrap());
            assert_eq!(live, reachable.contains(id));
        }
        self.nodes.retain(|id, _| reachable.contains(id));
        self.check();
    }

    fn field(&self, node: &Node, at: usize) -> StructField {
        let fields = self.layouts[node.refs.len()].fields();
        *fields.iter().filter(|field| field.kind() == Ref).nth(at).unwrap()
    }

    /// All reachable objects are as the model says.
    fn check(&self) {
        for id in self.reachable() {
            let node = &self.nodes[&id];
            let object = GcRef::from_word(node.word).unwrap();
            if node.form == Form::Exception {
                let payload: Vec<_> = node.refs.iter().map(|child| self.word(*child)).collect();
                assert_eq!(self.heap.exception(object), Some((u64::from(id), &payload[..])));
                continue;
            }
            assert_eq!(self.heap.type_of(object), Some(id));
            for (at, child) in node.refs.iter().enumerate() {
                let found = if node.form == Form::Array {
                    self.heap.array_get(object, at as u32)
                } else {
                    self.heap.get(object, self.field(node, at))
                };
                assert_eq!(found, Some([self.word(*child), 0]));
            }
        }
    }

    /// Something reachable, or 0.
    fn any_root(&self, random: &mut Random) -> u32 {
        self.roots.get(random.below(self.roots.len() + 1)).copied().unwrap_or(0)
    }

    fn allocate(&mut self, id: u32, form: Form, refs: &[u32]) -> Result<GcRef, HeapFull> {
        match form {
            Form::Struct => self.heap.alloc_struct(&self.layouts[refs.len()], id),
            Form::Array => self.heap.new_array(Ref, id, refs.len() as u32),
            Form::Exception => {
                let payload: Vec<_> = refs.iter().map(|child| self.word(*child)).collect();
                self.heap.alloc_exception(id.into(), &payload)
            }
        }
    }

    fn make(&mut self, random: &mut Random) {
        let (id, form) = match random.below(8) {
            0 => (self.next, Form::Array),
            1 | 2 => (self.next, Form::Exception),
            _ => (self.next, Form::Struct),
        };
        let len = if form == Form::Array { random.size(3000) } else { random.below(6) };
        let refs: Vec<u32> = match form {
            Form::Exception => (0..len).map(|_| self.any_root(random)).collect(),
            Form::Struct | Form::Array => vec![0; len],
        };
        let object = match self.allocate(id, form, &refs) {
            Ok(object) => object,
            Err(full) => {
                assert_eq!(full, HeapFull::Collect);
                self.collect(random);
                match self.allocate(id, form, &refs) {
                    Ok(object) => object,
                    // Full of what is reachable: some is let go of.
                    Err(full) => {
                        assert_eq!(full, HeapFull::Exhausted);
                        let kept = self.roots.len() / 2;
                        return self.roots.truncate(kept);
                    }
                }
            }
        };
        self.next += 1;
        let node = Node { word: object.word(), refs, form };
        if let Some(before) = self.nodes.insert(id, node) {
            panic!("{} was made twice", before.word);
        }
        self.roots.push(id);
    }

    /// Sets a reference of something reachable to something reachable.
    fn link(&mut self, random: &mut Random) {
        let mut from = self.roots[random.below(self.roots.len())];
        for _ in 0..random.below(4) {
            let refs = &self.nodes[&from].refs;
            match refs.get(random.below(refs.len().max(1))) {
                Some(child) if *child != 0 => from = *child,
                _ => break,
            }
        }
        let to = self.roots[random.below(self.roots.len())];
        let node = &self.nodes[&from];
        if node.refs.is_empty() || node.form == Form::Exception {
            return;
        }
        let at = random.below(node.refs.len());
        let (object, value) = (GcRef::from_word(node.word).unwrap(), [self.word(to), 0]);
        let set = if node.form == Form::Array {
            self.heap.array_set(object, at as u32, value)
        } else {
            self.heap.set(object, self.field(node, at), value)
        };
        assert_eq!(set, Some(()));
        self.nodes.get_mut(&from).unwrap().refs[at] = to;
    }
}

fn run(seed: u64, limit: u64, stress: bool, steps: usize) {
    let (mut graph, mut random) = (Graph::new(limit), Random::new(seed));
    graph.heap.set_stress(stress);
    for _ in 0..steps {
        match random.below(10) {
            0..5 => graph.make(&mut random),
            _ if graph.roots.is_empty() => {}
            5..8 => graph.link(&mut random),
            _ => {
                let at = random.below(graph.roots.len());
                graph.roots.swap_remove(at);
            }
        }
        assert!(graph.heap.stats().bytes_reserved <= limit);
    }
    graph.collect(&mut random);
    assert!(graph.heap.stats().collections > 3);
    graph.roots.clear();
    graph.collect(&mut random);
    let stats = graph.heap.stats();
    assert_eq!((stats.bytes_in_use, stats.bytes_reserved), (0, 0));
}

#[test]
fn small_heaps_keep_what_is_reachable() {
    for seed in 1..5 {
        run(seed, 128 << 10, false, STEPS / 4);
    }
}

#[test]
fn large_heaps_keep_what_is_reachable() {
    run(11, 16 << 20, false, STEPS);
}

#[test]
fn heaps_that_collect_all_the_time_keep_what_is_reachable() {
    run(12, 1 << 20, true, STEPS / 30);
}

#[test]
fn heaps_that_become_one_keep_all_objects() {
    let node = layout(&[Ref, I32]);
    let mut heaps = [1, 2, 3].map(|number| GcHeap::new(1 << 20, number));
    let mut roots = Vec::new();
    let mut handles = Vec::new();
    for heap in &mut heaps {
        for id in 0..100 {
            let object = heap.alloc_struct(&node, id).unwrap();
            heap.alloc_struct(&node, id).unwrap();
            roots.push(object);
        }
        handles.push((heap.pin(roots[roots.len() - 1]).unwrap(), roots[roots.len() - 1]));
    }
    let [mut all, mut third, mut second] = heaps;
    assert!(all.absorb(&mut second) && all.absorb(&mut third));
    assert_eq!(third.stats(), GcStats::default());
    // Another heap of a number that is there already, with an object; then without.
    let mut same = GcHeap::new(1 << 20, 3);
    let object = same.alloc_struct(&node, 0).unwrap();
    assert!(!all.absorb(&mut same));
    assert!(same.is_live(object));
    assert!(all.absorb(&mut GcHeap::new(1 << 20, 3)));
    assert_eq!(all.stats().bytes_in_use, 600 * 24);
    // Objects of one lead to those of the others.
    for pair in roots.windows(2) {
        all.set(pair[0], node.fields()[0], [pair[1].word(), 0]).unwrap();
    }
    collect(&mut all, &[roots[0].word()]);
    for (at, root) in roots.iter().enumerate() {
        assert_eq!(all.type_of(*root), Some(at as u32 % 100));
    }
    assert_eq!(all.stats().bytes_in_use, 300 * 24);
    for (handle, object) in &handles {
        assert_eq!(all.pinned(*handle), Some(*object));
    }
    // The first handle's object leads to all that follow.
    collect(&mut all, &[]);
    assert_eq!(all.stats().bytes_in_use, 201 * 24);
    for (handle, object) in handles {
        assert_eq!(all.unpin(handle), Some(object));
    }
    // An empty heap takes everything of the other.
    let mut empty = GcHeap::new(1, 7);
    assert!(empty.absorb(&mut all));
    collect(&mut empty, &[roots[207].word()]);
    assert_eq!(empty.type_of(roots[207]), Some(7));
    assert_eq!(empty.stats().bytes_in_use, 93 * 24);
}
