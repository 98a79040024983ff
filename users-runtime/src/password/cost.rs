//! What one Argon2id hash costs, with a floor that holds while compiling.

/// The cost of one Argon2id hash, at or above m = 19456 KiB, t = 2, p = 1 (OWASP Password Storage Cheat Sheet).
///
/// The default is that floor. A higher cost is written with [`argon2_cost!`](crate::argon2_cost); there is no way
/// to write a lower one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    m_kib: u32,
    t: u32,
    p: u32,
}

impl Argon2Cost {
    const M_KIB_FLOOR: u32 = 19_456;
    const T_FLOOR: u32 = 2;
    const P_FLOOR: u32 = 1;

    /// Stored hashes that ask for more than these are not computed, so configured ones may not either.
    pub(super) const M_KIB_CEILING: u32 = 1 << 20;
    pub(super) const T_CEILING: u32 = 64;
    pub(super) const P_CEILING: u32 = 64;

    /// The constructor behind [`argon2_cost!`](crate::argon2_cost), which calls it while compiling.
    ///
    /// # Errors
    /// When the cost is outside the bounds: what to write instead.
    #[doc(hidden)]
    pub const fn __checked(m_kib: u32, t: u32, p: u32) -> Result<Self, &'static str> {
        Err(if m_kib < Self::M_KIB_FLOOR {
            "the Argon2id memory is under the floor; write `m = 19456` (KiB) or more"
        } else if t < Self::T_FLOOR {
            "the Argon2id passes are under the floor; write `t = 2` or more"
        } else if p < Self::P_FLOOR {
            "the Argon2id lanes are under the floor; write `p = 1` or more"
        } else if m_kib > Self::M_KIB_CEILING {
            "a hash may take at most 1 GiB; write `m = 1048576` (KiB) or less"
        } else if t > Self::T_CEILING {
            "a hash may take at most 64 passes; write `t = 64` or less"
        } else if p > Self::P_CEILING {
            "a hash may have at most 64 lanes; write `p = 64` or less"
        } else {
            return Ok(Self { m_kib, t, p });
        })
    }

    /// The memory of one hash, in KiB.
    #[must_use]
    pub const fn m_kib(self) -> u32 {
        self.m_kib
    }

    /// The passes over that memory.
    #[must_use]
    pub const fn t(self) -> u32 {
        self.t
    }

    /// The lanes, which are computed one after the other: the pool's threads are the parallelism.
    #[must_use]
    pub const fn p(self) -> u32 {
        self.p
    }
}

impl Default for Argon2Cost {
    fn default() -> Self {
        Self { m_kib: Self::M_KIB_FLOOR, t: Self::T_FLOOR, p: Self::P_FLOOR }
    }
}

/// An [`Argon2Cost`](crate::Argon2Cost) of constants: memory `m` in KiB, passes `t`, lanes `p`.
///
/// ```
/// let cost = users_runtime::argon2_cost!(m = 65_536, t = 3, p = 1);
/// assert_eq!(cost.m_kib(), 65_536);
/// ```
///
/// A cost under the floor does not compile:
///
/// ```compile_fail
/// let cost = users_runtime::argon2_cost!(m = 4_096, t = 3, p = 1);
/// ```
///
/// ```compile_fail
/// let cost = users_runtime::argon2_cost!(m = 19_456, t = 1, p = 1);
/// ```
///
/// ```compile_fail
/// let cost = users_runtime::argon2_cost!(m = 19_456, t = 2, p = 0);
/// ```
#[macro_export]
macro_rules! argon2_cost {
    (m = $m:expr, t = $t:expr, p = $p:expr $(,)?) => {{
        // A constant, so that a cost outside the bounds is a compile error, and the panic stands here, so that it is
        // one at this line.
        const __ARGON2_COST: $crate::Argon2Cost = match $crate::Argon2Cost::__checked($m, $t, $p) {
            ::core::result::Result::Ok(cost) => cost,
            ::core::result::Result::Err(message) => ::core::panic!("{}", message),
        };
        __ARGON2_COST
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s08_the_default_is_the_floor_and_the_floor_compiles() {
        assert_eq!(Argon2Cost::default(), argon2_cost!(m = 19_456, t = 2, p = 1));
    }

    #[test]
    fn s08_every_part_under_the_floor_or_over_the_ceiling_is_refused() {
        for (m_kib, t, p) in [
            (19_455, 2, 1),
            (19_456, 1, 1),
            (19_456, 2, 0),
            // More of one does not make up for less of another.
            (1 << 20, 1, 1),
            ((1 << 20) + 1, 2, 1),
            (19_456, 65, 1),
            (19_456, 2, 65),
        ] {
            assert!(Argon2Cost::__checked(m_kib, t, p).is_err(), "m={m_kib},t={t},p={p}");
        }
    }
}
