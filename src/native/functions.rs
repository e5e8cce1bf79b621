//! How a built-in library lists its functions: one line each, with the types of its parameters.

/// Makes the constant `FUNCTIONS` of lines `"name" "signature" path::to::function(types);`, sorted
/// by name. A parameter is its slot's value after `as`.
///
/// `enter` makes the functions' `Call` and turns their result into the word for the result's slot,
/// or a trap: `fn(&Caller, &mut impl FnMut(&Call, ..) -> ..) -> Result<u64, Trap>`.
macro_rules! functions {
    (
        enter $enter:path;
        $($name:literal $signature:literal $($function:ident)::+($($ty:ident),*);)*
    ) => {
        /// Sorted by name.
        const FUNCTIONS: &[$crate::native::Builtin] = &[$($crate::native::Builtin {
            name: $name,
            signature: $signature,
            call: |caller, slots| {
                let answer = $enter(&caller, &mut |call| {
                    let args = &mut slots.iter().copied();
                    let _ = &args;
                    // Evaluated in order, one slot each: no parameter is wider.
                    $($function)::+(call $(, args.next().unwrap_or(0) as $ty)*)
                })?;
                if let Some(slot) = slots.first_mut() {
                    *slot = answer;
                }
                Ok(())
            },
        }),*];
    };
}

pub(crate) use functions;
