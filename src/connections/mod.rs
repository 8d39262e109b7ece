//! Setting connections up: making them, working on their drafts, reviewing, publishing, starting and
//! stopping. What a person decides, and nothing that runs.

mod draft;
mod error;
mod forecast;
mod making;
mod restoring;
mod sides;
mod starting;

use std::sync::Arc;

use crate::ports::{Clock, Ids};
use crate::store::Store;

pub use draft::Edit;
pub use error::Error;
pub use forecast::{Cost, Forecast, Means, forecast};
pub use making::{NewConnection, NewSide};
pub use restoring::Asking;

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Error>;

/// The connections of all workspaces, as people set them up.
pub struct Connections {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl Connections {
    /// The connections in this store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self { store, clock, ids }
    }
}
