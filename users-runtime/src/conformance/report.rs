//! What a run of the suite found.

use std::fmt;

use super::table::Requirement;

/// What became of one requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It holds.
    Held,
    /// It does not, and this is what was seen.
    Failed(String),
    /// The application has nothing that it is about.
    NotApplicable(String),
    /// The application does without it on purpose.
    Relaxed {
        /// Why, in the application's own words.
        reason: String,
        /// Whether it holds all the same, so that it need not be relaxed.
        holds: bool,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held => f.write_str("holds"),
            Self::Failed(seen) => write!(f, "FAILED: {seen}"),
            Self::NotApplicable(reason) => write!(f, "not applicable: {reason}"),
            Self::Relaxed { reason, holds: false } => write!(f, "relaxed: {reason}"),
            Self::Relaxed { reason, holds: true } => {
                write!(f, "relaxed, and holds all the same: {reason}")
            }
        }
    }
}

/// What a run of the suite found, one outcome for each requirement that it tested.
#[derive(Debug, Clone, Default)]
pub struct Report {
    outcomes: Vec<(Requirement, Outcome)>,
}

impl Report {
    pub(super) fn new(mut outcomes: Vec<(Requirement, Outcome)>) -> Self {
        let position = |wanted| super::requirements::ALL.iter().position(|known| *known == wanted);
        outcomes.sort_by_key(|(requirement, _)| position(*requirement));
        Self { outcomes }
    }

    /// Every outcome, in the order of the chapters.
    #[must_use]
    pub fn outcomes(&self) -> &[(Requirement, Outcome)] {
        &self.outcomes
    }

    /// The requirements that do not hold and are not relaxed, and what was seen.
    pub fn failures(&self) -> impl Iterator<Item = (Requirement, &str)> {
        self.outcomes.iter().filter_map(|(requirement, outcome)| match outcome {
            Outcome::Failed(seen) => Some((*requirement, seen.as_str())),
            _ => None,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (requirement, outcome) in &self.outcomes {
            let asvs = requirement.asvs().unwrap_or_default();
            writeln!(f, "{:<4} {asvs:<7} {}: {outcome}", requirement.number(), requirement.name())?;
        }
        Ok(())
    }
}
