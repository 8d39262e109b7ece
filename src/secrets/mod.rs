//! Sealing of secrets at rest. What is sealed can be opened only with the master key, and only in the
//! place that it was sealed for: moved to another row it does not open. Nothing here prints a secret.

mod key;
mod seal;

pub use key::{BadKey, MasterKey};
pub use seal::{Error, Place, Sealer};
