//! The prices of the user, in the place of those that are shipped.

use std::path::PathBuf;

use crate::analysis::cost::PriceTable;

use super::Session;
use super::error::CliError;

/// The variable with the path of a table of prices.
const VARIABLE: &str = "QUORATE_PRICES";

impl Session {
    /// Returns the prices: those of the file that `QUORATE_PRICES` names for its regions, and the shipped ones for all others.
    pub(super) fn prices(&self) -> Result<PriceTable, CliError> {
        let Some(path) = self.environment.get(VARIABLE).map(PathBuf::from) else { return Ok(PriceTable::shipped()) };
        let text =
            std::fs::read_to_string(&path).map_err(|source| CliError::Unreadable { path: path.clone(), source })?;
        let own = PriceTable::parse(&text).map_err(|error| CliError::Usage {
            message: format!("{VARIABLE}: {} is not a table of prices: {}", path.display(), error.message()),
            hint: "make one with `data/prices --region REGION`".to_owned(),
        })?;
        Ok(PriceTable::shipped().with(own))
    }
}
