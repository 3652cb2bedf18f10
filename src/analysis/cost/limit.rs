//! The limit of a cluster's cost.

use super::estimate::CostTotal;
use crate::analysis::Money;

/// A cost that is above a limit, or may be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CostLimitError {
    /// The cost is above the limit.
    #[error("the cluster would cost {cost} USD per month, and the limit is {limit}")]
    Above {
        /// The cost.
        cost: Money,
        /// The limit.
        limit: Money,
    },
    /// The known costs alone are above the limit.
    #[error("the cluster would cost at least {cost} USD per month, and the limit is {limit}")]
    AtLeastAbove {
        /// The sum of the known costs.
        cost: Money,
        /// The limit.
        limit: Money,
    },
    /// The cost is above the limit if autoscalers start as many machines as they may.
    #[error(
        "the cluster would cost up to {cost} USD per month, with all node groups at `max`, and the limit is {limit}"
    )]
    AboveAtMost {
        /// The cost with all node groups at their maximum.
        cost: Money,
        /// The limit.
        limit: Money,
    },
    /// Some prices are unknown, so the cost may be above the limit.
    #[error("the cost cannot be compared with the limit of {limit} USD per month: the price of {} is unknown", .unknown.join(", "))]
    Unknown {
        /// The things whose price is unknown.
        unknown: Vec<String>,
        /// The limit.
        limit: Money,
    },
}

impl CostTotal {
    /// Compares the cost with a limit. The cost counts as the largest that autoscalers can cause.
    ///
    /// # Errors
    /// Returns an error if the cost is above the limit, or if that is unknown.
    pub fn within(&self, limit: Money) -> Result<(), CostLimitError> {
        if self.monthly > limit {
            let cost = self.monthly;
            return Err(if self.is_complete() {
                CostLimitError::Above { cost, limit }
            } else {
                CostLimitError::AtLeastAbove { cost, limit }
            });
        }
        if self.monthly_at_most > limit {
            return Err(CostLimitError::AboveAtMost { cost: self.monthly_at_most, limit });
        }
        if !self.is_complete() {
            return Err(CostLimitError::Unknown { unknown: self.unknown.clone(), limit });
        }
        Ok(())
    }
}
