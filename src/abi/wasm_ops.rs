//! Numeric semantics of the specification.
