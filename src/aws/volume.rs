//! EBS volumes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ec2::types::{Filter, ResourceType, Volume as Answer, VolumeState, VolumeType};

use super::AwsProvider;
use super::ec2::{EC2, created, filter, from_ec2, of_cluster, retag, sought, specification, whole};
use super::failure::{ErrorCodes, internal};
use super::kind::{AwsKind, CreateContext, live};
use super::observe_cache::ObserveCache;
use super::poll::BACKOFF;
use super::tags::ObservationScope;
use crate::engine::{Failure, FailureClass, Live, ObjectPhase, PollLoop, ProgressNote};
use crate::resource::{EbsVolume, Resource};

/// Maximum time for a volume to be created or deleted: seconds are usual.
const PATIENCE: Duration = Duration::from_mins(10);

impl AwsKind for EbsVolume {
    const CODES: ErrorCodes = &[
        (FailureClass::Held, &["VolumeInUse"]),
        (FailureClass::Invalid, &["IncorrectModificationState", "VolumeModificationRateExceeded"]),
        (FailureClass::Quota, &["VolumeLimitExceeded"]),
    ];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let found = match cache.whose {
            ObservationScope::Tagged(_) => of_the_cluster(cache).await?.to_vec(),
            ObservationScope::Recorded(..) => volumes(cache.aws, &sought(cache, "volume-id", Self::KIND.name)).await?,
        };
        found.iter().filter_map(|volume| live_of(cache.whose, volume)).collect()
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let request = aws
            .ec2
            .create_volume()
            .availability_zone(&self.zone)
            .volume_type(VolumeType::from(self.volume_type.as_str()))
            .size(whole(self.gib))
            .encrypted(self.encrypted)
            .client_token(&creation.token.0)
            .tag_specifications(specification(ResourceType::Volume, &self.tags));
        let made = aws.send(EC2, "CreateVolume", request.send()).await?;
        let id = made.volume_id().unwrap_or_default();
        let live = live(creation.object.address.name(), id, self, &[("id", id)])?;
        Ok(Live { phase: phase(made.state()), created: created(made.create_time()), ..live })
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        let (larger, other) = (changed.contains("gib"), changed.contains("volume_type"));
        if larger || other {
            let request = aws
                .ec2
                .modify_volume()
                .volume_id(&live.id)
                .set_size(larger.then(|| whole(self.gib)))
                .set_volume_type(other.then(|| self.volume_type.as_str().into()));
            aws.send(EC2, "ModifyVolume", request.send()).await?;
        }
        retag(aws, live, &self.tags, changed.contains("tags")).await?;
        let now = super::kind::live(live.address.name(), &live.id, self, &[("id", &live.id)])?;
        Ok(Live { phase: live.phase, created: live.created, ..now })
    }

    async fn delete(aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<(), Failure> {
        aws.send(EC2, "DeleteVolume", aws.ec2.delete_volume().volume_id(&live.id).send()).await?;
        let mut poll = PollLoop::new(BACKOFF).lasting(PATIENCE);
        note("waiting for the volume to be gone".to_owned());
        while find(&by_id(aws, &live.id).await?).is_some() {
            if !poll.again().await {
                return Err(late(&live.id));
            }
        }
        Ok(())
    }

    async fn ready(aws: &AwsProvider, live: &Live, note: ProgressNote<'_>) -> Result<Live, Failure> {
        if live.phase == ObjectPhase::Ready {
            return Ok(live.clone());
        }
        let mut poll = PollLoop::new(BACKOFF).lasting(PATIENCE);
        note("waiting for the volume to be available".to_owned());
        loop {
            match find(&by_id(aws, &live.id).await?).map(|volume| phase(volume.state())) {
                Some(ObjectPhase::Ready) => return Ok(Live { phase: ObjectPhase::Ready, ..live.clone() }),
                Some(ObjectPhase::Failed) => {
                    return Err(internal("DescribeVolumes", format!("EBS could not make the volume {}", live.id)));
                }
                // One that was made a moment ago may not be there to see.
                Some(ObjectPhase::Pending | ObjectPhase::Deleting) | None if poll.again().await => {}
                Some(ObjectPhase::Pending | ObjectPhase::Deleting) | None => return Err(late(&live.id)),
            }
        }
    }
}

/// Returns the volumes that carry the cluster's tag, including those of machines.
async fn of_the_cluster(cache: &ObserveCache<'_>) -> Result<Arc<Vec<Answer>>, Failure> {
    cache.once(|| async { volumes(cache.aws, &of_cluster(cache.aws)).await }).await
}

/// Returns the volumes with these ids that carry the cluster's tag.
pub(super) async fn with_ids(cache: &ObserveCache<'_>, ids: &[String]) -> Result<Vec<Answer>, Failure> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let is_one = |volume: &&Answer| volume.volume_id().is_some_and(|found| ids.iter().any(|id| id == found));
    Ok(of_the_cluster(cache).await?.iter().filter(is_one).cloned().collect())
}

/// Returns the failure for a volume that takes too long.
fn late(id: &str) -> Failure {
    let minutes = PATIENCE.as_secs() / 60;
    internal("DescribeVolumes", format!("EBS has not done with the volume {id} in {minutes} minutes"))
}

/// Returns one volume, whatever its tags are now: they may have been removed. An id that does not exist is not an error for
/// a filter.
async fn by_id(aws: &AwsProvider, id: &str) -> Result<Vec<Answer>, Failure> {
    volumes(aws, &filter("volume-id", id)).await
}

async fn volumes(aws: &AwsProvider, ours: &Filter) -> Result<Vec<Answer>, Failure> {
    let pages = || aws.ec2.describe_volumes().filters(ours.clone()).into_paginator().items().send().try_collect();
    aws.read(EC2, "DescribeVolumes", pages).await
}

/// Returns the volume, unless it is gone.
fn find(volumes: &[Answer]) -> Option<&Answer> {
    volumes.iter().find(|volume| volume.state() != Some(&VolumeState::Deleted))
}

/// Converts EC2's answer to a live object. A volume that is being deleted belongs to no object.
fn live_of(whose: ObservationScope<'_>, volume: &Answer) -> Option<Result<Live, Failure>> {
    let tags = from_ec2(volume.tags());
    let id = volume.volume_id()?;
    let address = whose.address(&tags, id, EbsVolume::KIND.name)?;
    let phase = phase(volume.state());
    if phase == ObjectPhase::Deleting {
        return None;
    }
    let observed = EbsVolume {
        zone: volume.availability_zone().unwrap_or_default().to_owned(),
        volume_type: volume.volume_type().map(VolumeType::as_str).unwrap_or_default().to_owned(),
        gib: volume.size().and_then(|size| size.try_into().ok()).unwrap_or_default(),
        encrypted: volume.encrypted().unwrap_or_default(),
        tags,
    };
    let live = live(address.name(), id, &observed, &[("id", id)]);
    Some(live.map(|live| Live { phase, created: created(volume.create_time()), ..live }))
}

fn phase(state: Option<&VolumeState>) -> ObjectPhase {
    match state {
        Some(VolumeState::Available | VolumeState::InUse) => ObjectPhase::Ready,
        Some(VolumeState::Deleting | VolumeState::Deleted) => ObjectPhase::Deleting,
        Some(VolumeState::Error) => ObjectPhase::Failed,
        _ => ObjectPhase::Pending,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use aws_sdk_ec2::primitives::DateTime;

    use super::super::ec2::to_ec2;
    use super::*;
    use crate::resource::{CLUSTER_TAG, OBJECT_TAG, Tags};

    fn answer(state: VolumeState) -> Answer {
        let tags: Tags =
            [(CLUSTER_TAG, "c"), (OBJECT_TAG, "volume/a")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        Answer::builder()
            .volume_id("vol-1")
            .availability_zone("us-east-1a")
            .volume_type(VolumeType::Gp3)
            .size(20)
            .encrypted(true)
            .state(state)
            .create_time(DateTime::from_secs(1_700_000_000))
            .set_tags(Some(to_ec2(&tags)))
            .build()
    }

    #[test]
    fn a_volume_reads_as_what_was_asked_for() {
        let live = live_of(ObservationScope::Tagged("c"), &answer(VolumeState::InUse)).unwrap().unwrap();
        let read = EbsVolume::from_attributes(&live.attributes).unwrap();
        assert_eq!((read.zone.as_str(), read.volume_type.as_str(), read.gib), ("us-east-1a", "gp3", 20));
        assert!(read.encrypted);
        assert_eq!(live.created.unwrap().as_second(), 1_700_000_000);
        assert_eq!(live.phase, ObjectPhase::Ready);
    }

    #[test]
    fn a_volume_on_its_way_out_is_not_there_for_a_plan_and_still_there_for_who_waits() {
        for state in [VolumeState::Deleting, VolumeState::Deleted] {
            assert!(live_of(ObservationScope::Tagged("c"), &answer(state)).is_none());
        }
        assert!(find(&[answer(VolumeState::Deleting)]).is_some());
        assert!(find(&[answer(VolumeState::Deleted)]).is_none());
    }

    #[test]
    fn a_failed_volume_is_reported() {
        assert_eq!(
            live_of(ObservationScope::Tagged("c"), &answer(VolumeState::Error)).unwrap().unwrap().phase,
            ObjectPhase::Failed
        );
    }
}
