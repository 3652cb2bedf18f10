//! Quantities as Kubernetes writes them.

/// Parses a Kubernetes quantity to bytes: `5Gi`, `500M`, `1024`.
pub fn quantity_bytes(quantity: &str) -> Option<u64> {
    let digits = quantity.find(|c: char| !c.is_ascii_digit()).unwrap_or(quantity.len());
    let (number, unit) = quantity.split_at(digits);
    let factor: u64 = match unit {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// Parses a CPU quantity of Kubernetes to thousandths of a CPU: `250m`, `2`, `0.5`.
pub fn quantity_millicpus(quantity: &str) -> Option<u64> {
    if let Some(thousandths) = quantity.strip_suffix('m') {
        return thousandths.parse().ok();
    }
    let (whole, decimals) = quantity.split_once('.').unwrap_or((quantity, "0"));
    let is_short = decimals.len() <= 3 && decimals.bytes().all(|digit| digit.is_ascii_digit());
    let thousandths: u64 = format!("{decimals:0<3}").parse().ok().filter(|_| is_short)?;
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_compared_by_what_they_mean() {
        assert_eq!(quantity_bytes("5Gi"), Some(5 << 30));
        assert_eq!(quantity_bytes("5120Mi"), quantity_bytes("5Gi"));
        let texts = ["1G", "12", "1.5Gi", ""];
        assert_eq!(texts.map(quantity_bytes), [Some(1_000_000_000), Some(12), None, None]);
    }

    #[test]
    fn cpus_have_thousandths() {
        let texts = ["250m", "2", "0.5", "1.25", "", "0.0001", "1k"];
        assert_eq!(texts.map(quantity_millicpus), [Some(250), Some(2000), Some(500), Some(1250), None, None, None]);
    }
}
