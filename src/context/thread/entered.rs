//! The contexts that the thread has entered: a list of nodes, innermost first.
//!
//! Every guest call goes through [`run`], so its node lies in its own frame and costs a handful of
//! stores: no allocation can fail, and the handle that it borrows keeps the context alive.
//! [`enter`] and [`push`] have no frame to use; their nodes are allocated and hold a handle of
//! their own.
//!
//! The current heap is kept in step: each node makes its context's heap current and remembers the
//! one before. Leaving restores the heap that was current on entering, in any case. Stacks that
//! take turns on a thread without [`super::state_swap`] leave out of order; a node that is not the
//! innermost is therefore taken out of the middle of the list.

use super::{ThreadState, create, existing, with};
use crate::abi::error::{Error, Result};
use crate::alloc::{self, Heap, Reserve};
use crate::context::Context;
use crate::context::process;
use crate::context::runtime::Runtime;
use crate::context::shared::{Block, Shared};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::{NonNull, null};

/// The function that made a node, and so the one that may take it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NodeKind {
    /// [`run`]: goes when it returns. It lies in a native frame.
    Run,
    /// As `Run`, around a call into a guest.
    Guest,
    /// [`enter`]: goes when its guard is dropped, or with the `run` around it.
    Guard,
    /// [`push`]: goes at its [`pop`], or with the `run` around it.
    Push,
    /// `init` inside a `run`: goes with that.
    Init,
}

impl NodeKind {
    /// Whether such nodes lie in native frames; the others are allocated.
    fn is_in_frame(self) -> bool {
        matches!(self, Self::Run | Self::Guest)
    }
}

/// One entered context. Owner: the frame or the thread that made it.
#[repr(C)]
pub(super) struct Node {
    /// The one that was innermost before.
    prev: Cell<*const Node>,
    heap_before: Cell<*const Heap>,
    /// Borrowed by nodes in native frames, else with a count.
    context: NonNull<Block<Runtime>>,
    kind: NodeKind,
}

/// A node that was allocated, as its `kind` says.
#[repr(C)]
struct HeldNode {
    node: Node,
    /// The state it is listed in; null once it has been taken off while its guard lives.
    state: Cell<*const ThreadState>,
    /// The allocated node that stands directly on it; null for none, and under a `run`.
    above: Cell<*const Node>,
}

impl Node {
    fn new(context: NonNull<Block<Runtime>>, kind: NodeKind) -> Self {
        Self { prev: Cell::new(null()), heap_before: Cell::new(null()), context, kind }
    }

    /// Its context, borrowed.
    fn context(&self) -> ManuallyDrop<Context> {
        // SAFETY: a listed node's context lives: borrowed by a `run` that has not returned, or
        // held by the node. `ManuallyDrop` takes no count away.
        ManuallyDrop::new(Context(unsafe { Shared::from_raw(self.context) }))
    }
}

/// A listed node. A plain pointer: allocated nodes are freed through it.
type NodePtr = *const Node;

/// The cell of an allocated node for the node that stands on it.
///
/// # Safety
/// The node is null or alive, and alive during `'a`.
unsafe fn above<'a>(node: NodePtr) -> Option<&'a Cell<NodePtr>> {
    // SAFETY: the caller guarantees that the node is null or alive; nodes of other kinds than `Run`
    // have the address of the `HeldNode` that they are the first field of.
    unsafe {
        let held = node.as_ref().is_some_and(|node| !node.kind.is_in_frame());
        held.then(|| &(*node.cast::<HeldNode>()).above)
    }
}

impl ThreadState {
    /// Listed nodes, innermost first.
    fn nodes(&self) -> impl Iterator<Item = NodePtr> {
        let listed = |node: NodePtr| (!node.is_null()).then_some(node);
        // SAFETY: listed nodes are alive: `Leave` takes those of `run` off before their frames
        // go, and the others are taken off before they are freed.
        std::iter::successors(listed(self.top.get()), move |node| unsafe {
            listed((**node).prev.get())
        })
    }

    /// The innermost listed node that `fits`.
    fn find(&self, fits: impl Fn(&Node) -> bool) -> Option<NodePtr> {
        // SAFETY: listed nodes are alive (`nodes`).
        self.nodes().find(|node| fits(unsafe { &**node }))
    }

    /// Lists `node` as the innermost and makes `heap` current.
    ///
    /// # Safety
    /// The node stays where it is, and its context alive, until it is taken off the list.
    #[inline]
    unsafe fn link(&self, node: NodePtr, heap: *const Heap) {
        // SAFETY: the caller guarantees that the node is alive. The heap is null or the context's,
        // which lives until the node is taken off, and then the heap before comes back.
        unsafe {
            (*node).prev.set(self.top.get());
            (*node).heap_before.set(self.head.replace_heap(heap));
        }
        self.top.set(node);
    }

    /// Takes `node`, which is the innermost, off.
    #[inline]
    fn unlink_top(&self, node: NodePtr) {
        // SAFETY: a listed node is alive (`nodes`), so its fields are valid; the code that made
        // that heap current keeps it alive.
        unsafe {
            self.top.set((*node).prev.get());
            self.head.replace_heap((*node).heap_before.get());
        }
    }

    /// Takes `node`, which is listed, off; `above` stands on it, unless it is the innermost.
    fn unlink_below(&self, above: Option<NodePtr>, node: NodePtr) {
        let Some(above) = above else { return self.unlink_top(node) };
        // SAFETY: listed nodes are alive (`nodes`).
        unsafe {
            // The one above then stands on the one below.
            (*above).prev.set((*node).prev.get());
            (*above).heap_before.set((*node).heap_before.get());
        }
    }

    /// Takes an allocated node off and lets its context go.
    fn release(&self, node: NodePtr) {
        // SAFETY: a listed node is alive (`nodes`).
        let known = unsafe { above(node) }.map_or(null(), Cell::get);
        let found = match (self.top.get() == node, known.is_null()) {
            (true, _) => None,
            (false, false) => Some(known),
            (false, true) => self.find(|above| above.prev.get() == node),
        };
        self.release_below(found, node);
    }

    /// As [`ThreadState::release`], for a caller that knows the node that stands on this one.
    fn release_below(&self, standing: Option<NodePtr>, node: NodePtr) {
        self.unlink_below(standing, node);
        // SAFETY: listed nodes are alive (`nodes`), and so is the node below.
        if let Some(below) = unsafe { above((*node).prev.get()) } {
            // SAFETY: the node that stands on it is listed, and listed nodes are alive; a `run`
            // does not count.
            below.set(standing.filter(|&at| unsafe { above(at) }.is_some()).unwrap_or(null()));
        }
        let held = node.cast::<HeldNode>();
        // SAFETY: nodes of other kinds than `Run` are listed by the address of the `HeldNode`
        // that they are the first field of. It is off the list now; a guard still points to its
        // own and frees it.
        let context = unsafe {
            let context = Context(Shared::from_raw((*node).context));
            if (*node).kind == NodeKind::Guard {
                (*held).state.set(null());
            } else {
                System.dealloc(held.cast_mut().cast(), Layout::new::<HeldNode>());
            }
            context
        };
        // Last, because it may be the context's end, which runs other code.
        drop(context);
    }

    /// Leaves a `run` that is not the innermost node: the nodes entered inside it and never left go
    /// with it, up to the next `run`, which belongs to another stack.
    #[cold]
    fn leave_inner(&self, node: NodePtr) {
        let inside = |at: &NodePtr| *at != node;
        // SAFETY: listed nodes are alive (`nodes`).
        let other = self.nodes().take_while(inside).filter(|&at| unsafe { above(at) }.is_none());
        let other = other.last();
        loop {
            // SAFETY: listed nodes are alive (`nodes`).
            let inner =
                other.map_or_else(|| self.top.get(), |other| unsafe { (*other).prev.get() });
            if inner == node || inner.is_null() {
                return self.unlink_below(other, node);
            }
            self.release_below(other, inner);
        }
    }

    /// Takes off everything, at the thread's end.
    pub(super) fn release_entered(&self) {
        // No frame outlives its thread's exit hook, so all of them were allocated.
        while let Some(node) = self.find(|node| !node.kind.is_in_frame()) {
            self.release(node);
        }
    }

    /// Whether code runs on this state's stack.
    pub(super) fn is_running(&self) -> bool {
        self.find(|node| node.kind.is_in_frame()).is_some()
    }

    /// Whether a call into a guest is under way on this state's stack.
    pub(super) fn is_in_guest(&self) -> bool {
        self.find(|node| node.kind == NodeKind::Guest).is_some()
    }

    /// The innermost entered context, borrowed.
    fn top(&self) -> Option<(ManuallyDrop<Context>, NodeKind)> {
        // SAFETY: a listed node is alive (`nodes`).
        let node = unsafe { self.top.get().as_ref() }?;
        Some((node.context(), node.kind))
    }

    /// The innermost entered context.
    pub(super) fn entered(&self) -> Option<Context> {
        self.top().map(|(context, _)| (*context).clone())
    }

    /// The innermost entered context, borrowed, if no code inside can leave it.
    #[inline]
    pub(super) fn running(&self) -> Option<ManuallyDrop<Context>> {
        self.top().filter(|(_, kind)| kind.is_in_frame()).map(|(context, _)| context)
    }

    /// Lists a node with a handle of its own.
    fn hold(&self, context: &Context, kind: NodeKind) -> Result<NonNull<HeldNode>> {
        let layout = Layout::new::<HeldNode>();
        // SAFETY: the layout's size is not zero.
        let place = unsafe { System.alloc(layout) }.cast::<HeldNode>();
        let place = NonNull::new(place).ok_or_else(Error::out_of_memory)?;
        let node = Node::new(context.clone().0.into_raw(), kind);
        // SAFETY: fresh memory of this layout; it is freed only after it was taken off the list,
        // and holds a handle of its context until then.
        unsafe {
            place.write(HeldNode { node, state: Cell::new(self), above: Cell::new(null()) });
            if let Some(below) = above(self.top.get()) {
                below.set(place.as_ptr().cast());
            }
            self.link(place.as_ptr().cast(), context.heap().as_ptr());
        }
        Ok(place)
    }

    /// Enters the context that `init` made until the innermost `run` returns. Outside of any `run`
    /// no entered context would hide it.
    pub(super) fn hold_init(&self, context: &Context) -> Result<()> {
        if self.is_running() {
            self.hold(context, NodeKind::Init)?;
        }
        Ok(())
    }

    /// Takes back one [`ThreadState::hold_init`].
    pub(super) fn release_init(&self, context: &Context) {
        let block = context.0.as_ptr();
        if let Some(node) = self.find(|node| node.kind == NodeKind::Init && node.context == block) {
            self.release(node);
        }
    }

    /// The innermost node that code may leave explicitly.
    fn innermost(&self) -> Option<NodePtr> {
        self.find(|node| node.kind != NodeKind::Init)
    }
}

/// Takes a `run`'s node off when the frame is left, by a return or by unwinding.
struct Leave {
    state: NonNull<ThreadState>,
    node: NodePtr,
}

impl Drop for Leave {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the state that the node is listed in. It cannot have ended: `state_destroy`
        // refuses states with a `run`, and no frame outlives its thread's exit hook.
        let state = unsafe { self.state.as_ref() };
        if state.top.get() == self.node {
            state.unlink_top(self.node);
        } else {
            state.leave_inner(self.node);
        }
    }
}

/// See [`Context::run`].
#[inline]
pub(in crate::context) fn run<R>(context: &Context, f: impl FnOnce() -> R) -> R {
    run_with(context, NodeKind::Run, context.heap().as_ptr(), |_| f())
}

/// See [`Context::run_guest`].
#[inline]
pub(in crate::context) fn run_guest<R>(context: &Context, f: impl FnOnce(usize) -> R) -> R {
    run_with(context, NodeKind::Guest, context.heap().as_ptr(), |state| f(state.stack_low()))
}

/// How an operation ended ([`Context::operate`]).
pub enum Ended<R> {
    Returned(R),
    /// Memory ran out meanwhile, even if the result does not say so.
    RanOut(R),
    /// Memory had run out before, and nothing was done.
    Refused,
}

/// See [`Context::operate_guest`].
#[inline(always)]
pub(in crate::context) fn operate_guest<R>(
    context: &Context,
    f: impl FnOnce(usize) -> R,
) -> Ended<R> {
    operate_with(context, NodeKind::Guest, |state| f(state.stack_low()))
}

/// See [`Context::operate`].
#[inline]
pub(in crate::context) fn operate<R>(context: &Context, f: impl FnOnce() -> R) -> Ended<R> {
    operate_with(context, NodeKind::Run, |_| f())
}

#[inline(always)]
fn operate_with<R>(
    context: &Context,
    kind: NodeKind,
    f: impl FnOnce(&ThreadState) -> R,
) -> Ended<R> {
    let Some(state) = existing().or_else(create) else { return Ended::Refused };
    // SAFETY: this thread's state lives (`with_existing`).
    let head = unsafe { &state.as_ref().head };
    let Some(begun) = head.begin() else { return Ended::Refused };
    let result = run_on(state, context, kind, context.heap().as_ptr(), f);
    match head.ran_out_since(begun) {
        false => Ended::Returned(result),
        true => Ended::RanOut(result),
    }
}

/// As [`run`], but with no current heap: for callbacks of the embedder's whose memory must not
/// come from the context.
pub(in crate::context) fn run_outside<R>(context: &Context, f: impl FnOnce() -> R) -> R {
    run_with(context, NodeKind::Run, null(), |_| f())
}

#[inline]
fn run_with<R>(
    context: &Context,
    kind: NodeKind,
    heap: *const Heap,
    f: impl FnOnce(&ThreadState) -> R,
) -> R {
    match existing().or_else(create) {
        Some(state) => run_on(state, context, kind, heap, f),
        None => run_without_memory(context, kind, heap, f),
    }
}

#[inline(always)]
fn run_on<R>(
    state: NonNull<ThreadState>,
    context: &Context,
    kind: NodeKind,
    heap: *const Heap,
    f: impl FnOnce(&ThreadState) -> R,
) -> R {
    let node = Node::new(context.0.as_ptr(), kind);
    // SAFETY: this thread's state is alive. The node stays in this frame, and the context is
    // borrowed, until `_leave` takes the node off.
    let entered = unsafe { state.as_ref() };
    // SAFETY: this thread's state is alive; the node and its context live until `_leave` takes the
    // node off.
    unsafe { entered.link(&raw const node, heap) };
    let _leave = Leave { state, node: &raw const node };
    f(entered)
}

/// [`run`] on a thread for which the system has no memory: its state lies in this frame.
#[cold]
fn run_without_memory<R>(
    context: &Context,
    kind: NodeKind,
    heap: *const Heap,
    f: impl FnOnce(&ThreadState) -> R,
) -> R {
    struct Remove<'a>(&'a ThreadState);
    impl Drop for Remove<'_> {
        fn drop(&mut self) {
            self.0.end();
            alloc::remove();
        }
    }
    let state = ThreadState::new(process::of_new_thread(), Reserve::empty());
    // SAFETY: the state stays in this frame until `_remove` takes it out of place, so the hook
    // never sees it.
    unsafe { alloc::install(&raw const state.head, |_| ()) };
    let _remove = Remove(&state);
    run_on(NonNull::from(&state), context, kind, heap, f)
}

/// An entered context; dropping the guard leaves it.
#[must_use = "dropping the guard leaves the context"]
pub struct Entered {
    node: NonNull<HeldNode>,
    /// It belongs to the thread.
    not_send: PhantomData<*mut ()>,
}

impl Entered {
    /// Leaves the context, if it is the innermost. Otherwise nothing changes, and the guard
    /// comes back.
    pub fn exit(self) -> Result<(), Self> {
        // SAFETY: a guard's node lives until the guard is dropped, and the state that it names
        // is this thread's: guards do not travel, and ended states take their name back.
        let state = unsafe { (*self.node.as_ptr()).state.get().as_ref() };
        let node = self.node.as_ptr().cast_const().cast::<Node>();
        let is_innermost = state.is_none_or(|state| state.innermost() == Some(node));
        if is_innermost { Ok(()) } else { Err(self) }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let node = self.node.as_ptr();
        // SAFETY: a guard's node lives until the guard is dropped, and the state that it names is
        // this thread's. After `release` only this guard knows the node.
        unsafe {
            if let Some(state) = (*node).state.get().as_ref() {
                state.release(node.cast_const().cast());
            }
            System.dealloc(node.cast(), Layout::new::<HeldNode>());
        }
    }
}

/// See [`Context::enter`].
pub(in crate::context) fn enter(context: &Context) -> Result<Entered> {
    let node =
        with(|state| state.hold(context, NodeKind::Guard)).ok_or_else(Error::out_of_memory)??;
    Ok(Entered { node, not_send: PhantomData })
}

/// See [`Context::push`].
pub(in crate::context) fn push(context: &Context) -> Result<()> {
    with(|state| state.hold(context, NodeKind::Push)).ok_or_else(Error::out_of_memory)??;
    Ok(())
}

/// See [`Context::pop`].
pub(in crate::context) fn pop(context: &Context) -> Result<()> {
    let popped = super::with_existing(|state| {
        let node = state.innermost()?;
        // SAFETY: a listed node is alive (`ThreadState::nodes`).
        let (kind, block) = unsafe { ((*node).kind, (*node).context) };
        let fits = kind == NodeKind::Push && block == context.0.as_ptr();
        fits.then(|| state.release(node))
    });
    popped
        .flatten()
        .ok_or_else(|| Error::misuse("the runtime to be left is not the one that was entered last"))
}
