//! Prices that were asked from the price list of AWS, in a file of the user.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::resource::{PriceAnswers, PriceName};
use crate::store::file::{FileLock, WriteDurability, replace};

use super::session::ProcessEnvironment;

/// The directory in the cache directory of the user.
const DIRECTORY: &str = "quorate";
/// The name of the file.
const FILE: &str = "prices.json";
/// The name of the lock between processes that change the file.
const LOCK: &str = "prices.lock";
/// The version of the format.
const FORMAT: u32 = 1;
/// Time after which a price is asked for again.
const PRICE_AGE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Time after which a price that the list did not have is asked for again.
const UNKNOWN_AGE: SignedDuration = SignedDuration::from_hours(24);
/// Time after which a list that did not answer is asked again.
const FAILURE_AGE: SignedDuration = SignedDuration::from_hours(1);

/// The file with prices. A file that cannot be read has none; one that cannot be written is left, and the prices are asked again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceCache {
    directory: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct CachedPrices {
    format: u32,
    #[serde(default)]
    regions: BTreeMap<String, CachedRegion>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct CachedRegion {
    /// The time at which the list did not answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    failed: Option<Timestamp>,
    #[serde(default)]
    prices: BTreeMap<String, CachedPrice>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct CachedPrice {
    /// The amount; `None` if the list does not have the price.
    amount: Option<String>,
    /// The day of the list.
    published: Option<String>,
    /// The time at which it was asked.
    asked: Timestamp,
}

/// What the cache has of some prices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CacheLookup {
    /// The known prices.
    pub(super) answers: PriceAnswers,
    /// The prices to ask for; none for a while after the list did not answer.
    pub(super) open: BTreeSet<PriceName>,
}

impl PriceCache {
    /// Returns the cache in the cache directory of the user; `None` if the environment names none.
    pub(super) fn of(environment: &ProcessEnvironment) -> Option<Self> {
        let of = |name: &str| environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let in_home = |folder: &str| of("HOME").map(|home| home.join(folder));
        let directory = of("XDG_CACHE_HOME").or_else(|| match std::env::consts::OS {
            "macos" => in_home("Library/Caches"),
            "windows" => of("LOCALAPPDATA"),
            _ => in_home(".cache"),
        })?;
        Some(Self::at(&directory))
    }

    /// Returns the cache below a directory.
    pub fn at(directory: &Path) -> Self {
        Self { directory: directory.join(DIRECTORY) }
    }

    /// Returns what is known about prices of a region.
    pub(super) fn look_up(&self, region: &str, names: &BTreeSet<PriceName>, now: Timestamp) -> CacheLookup {
        let cached = self.read().regions.remove(region).unwrap_or_default();
        let is_younger = |time: Timestamp, age: SignedDuration| {
            let passed = now.duration_since(time);
            // A clock that was set back does not make a price valid for ever.
            passed < age && passed > -age
        };
        let mut lookup = CacheLookup::default();
        for name in names {
            match cached.prices.get(&name.to_string()) {
                Some(CachedPrice { amount: Some(amount), published, asked }) if is_younger(*asked, PRICE_AGE) => {
                    lookup.answers.amounts.insert(name.clone(), amount.clone());
                    lookup.answers.published = lookup.answers.published.max(published.clone());
                }
                Some(CachedPrice { amount: None, asked, .. }) if is_younger(*asked, UNKNOWN_AGE) => {}
                _ => _ = lookup.open.insert(name.clone()),
            }
        }
        if cached.failed.is_some_and(|failed| is_younger(failed, FAILURE_AGE)) {
            lookup.open.clear();
        }
        lookup
    }

    /// Keeps the answers to a question.
    pub(super) fn keep(&self, region: &str, asked: &BTreeSet<PriceName>, answers: &PriceAnswers, now: Timestamp) {
        self.change(region, |cached| {
            cached.failed = None;
            for name in asked {
                let amount = answers.amounts.get(name).cloned();
                let published = answers.published.clone().filter(|_| amount.is_some());
                cached.prices.insert(name.to_string(), CachedPrice { amount, published, asked: now });
            }
        });
    }

    /// Notes that the list did not answer.
    pub(super) fn note_failure(&self, region: &str, now: Timestamp) {
        self.change(region, |cached| cached.failed = Some(now));
    }

    /// Changes the prices of a region. It fails for example in a read-only home directory, which is no reason to stop.
    fn change(&self, region: &str, change: impl FnOnce(&mut CachedRegion)) {
        let write = || -> io::Result<()> {
            std::fs::create_dir_all(&self.directory)?;
            let _lock = FileLock::acquire(&self.directory.join(LOCK))?;
            let mut all = self.read();
            change(all.regions.entry(region.to_owned()).or_default());
            replace(&self.directory.join(FILE), &serde_json::to_vec_pretty(&all)?, WriteDurability::Process)
        };
        let _ = write();
    }

    fn read(&self) -> CachedPrices {
        let text = std::fs::read(self.directory.join(FILE)).unwrap_or_default();
        let read: Option<CachedPrices> = serde_json::from_slice(&text).ok();
        let empty = || CachedPrices { format: FORMAT, regions: BTreeMap::new() };
        read.filter(|read| read.format == FORMAT).unwrap_or_else(empty)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const REGION: &str = "eu-central-1";

    fn at(hours: i64) -> Timestamp {
        "2026-11-30T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
    }

    fn names(names: &[PriceName]) -> BTreeSet<PriceName> {
        names.iter().cloned().collect()
    }

    fn answers(amount: &str) -> PriceAnswers {
        let amounts = [(PriceName::Gp3, amount.to_owned())].into();
        PriceAnswers { amounts, published: Some("2026-11-20".to_owned()) }
    }

    #[test]
    fn prices_are_kept_for_a_month_and_unknown_ones_for_a_day() {
        let directory = tempfile::tempdir().unwrap();
        let cache = PriceCache::at(directory.path());
        let both = names(&[PriceName::Gp3, PriceName::HostedZone]);
        assert_eq!(cache.look_up(REGION, &both, at(0)), CacheLookup { open: both.clone(), ..CacheLookup::default() });
        cache.keep(REGION, &both, &answers("0.0952"), at(0));
        assert_eq!(cache.look_up(REGION, &both, at(23)), CacheLookup { answers: answers("0.0952"), open: names(&[]) });
        let later = cache.look_up(REGION, &both, at(25));
        assert_eq!((later.answers, later.open), (answers("0.0952"), names(&[PriceName::HostedZone])));
        assert_eq!(cache.look_up(REGION, &both, at(31 * 24)).open, both);
        assert_eq!(cache.look_up("us-west-2", &both, at(1)).open, both, "each region has its own");
        assert_eq!(cache.look_up(REGION, &both, at(-31 * 24)).open, both, "the clock was wrong");
    }

    #[test]
    fn a_list_that_did_not_answer_is_not_asked_for_an_hour() {
        let directory = tempfile::tempdir().unwrap();
        let cache = PriceCache::at(directory.path());
        let both = names(&[PriceName::Gp3, PriceName::HostedZone]);
        cache.keep(REGION, &names(&[PriceName::Gp3]), &answers("0.0952"), at(0));
        cache.note_failure(REGION, at(0));
        assert_eq!(cache.look_up(REGION, &both, at(0)), CacheLookup { answers: answers("0.0952"), open: names(&[]) });
        assert_eq!(cache.look_up(REGION, &both, at(2)).open, names(&[PriceName::HostedZone]));
        cache.keep(REGION, &names(&[PriceName::HostedZone]), &PriceAnswers::default(), at(2));
        assert_eq!(cache.look_up(REGION, &both, at(3)).answers, answers("0.0952"));
    }

    #[test]
    fn a_file_that_cannot_be_read_or_written_is_no_error() {
        let directory = tempfile::tempdir().unwrap();
        let cache = PriceCache::at(directory.path());
        let one = names(&[PriceName::Gp3]);
        std::fs::create_dir(&cache.directory).unwrap();
        for damaged in ["", "{", r#"{"format": 2, "regions": {}}"#, "[]"] {
            std::fs::write(cache.directory.join(FILE), damaged).unwrap();
            assert_eq!(cache.look_up(REGION, &one, at(0)).open, one, "{damaged}");
        }
        cache.keep(REGION, &one, &answers("0.0952"), at(0));
        assert_eq!(cache.look_up(REGION, &one, at(0)).answers, answers("0.0952"));
        let blocked = PriceCache::at(&cache.directory.join(FILE));
        blocked.keep(REGION, &one, &answers("1"), at(0));
        assert_eq!(blocked.look_up(REGION, &one, at(0)).open, one);
    }

    #[test]
    fn the_cache_is_in_the_directory_of_the_platform() {
        let of = |variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            PriceCache::of(&ProcessEnvironment { variables, ..ProcessEnvironment::default() })
        };
        let cache = |path: &str| Some(PriceCache { directory: PathBuf::from(path) });
        assert_eq!(of(&[("XDG_CACHE_HOME", "/c"), ("HOME", "/home/ada")]), cache("/c/quorate"));
        #[cfg(target_os = "linux")]
        assert_eq!(of(&[("HOME", "/home/ada")]), cache("/home/ada/.cache/quorate"));
        assert_eq!(of(&[("XDG_CACHE_HOME", "relative")]), None);
        assert_eq!(of(&[]), None);
    }
}
