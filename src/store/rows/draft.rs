//! Drafts of configurations.

use crate::planner::Settings;

/// A configuration that somebody works on and has not published.
#[derive(Clone, Debug, PartialEq)]
pub struct DraftRow {
    /// The number of its last edit, from 1.
    pub edit: u32,
    /// The version that it was made from.
    pub based_on: u32,
    /// The configuration as it is so far.
    pub settings: Settings,
    /// Whether somebody wants to see what exactly this would do.
    pub preview_asked: bool,
}
