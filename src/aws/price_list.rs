//! Prices of the region, from the AWS Price List Query API.
//!
//! A product of the list is a JSON document: its attributes, and the terms on which it is sold ("Understanding the price list
//! files" and `GetProducts` in the AWS Billing guide). What is asked for, and which answer counts, is the same as in the script
//! `data/prices`, which reads the files of the same list.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_pricing::types::{Filter, FilterType};
use futures_util::future::try_join_all;
use serde::Deserialize;

use super::AwsProvider;
use super::failure::internal;
use crate::cloud::PriceList;
use crate::engine::{BoxFuture, Failure};
use crate::resource::{AwsPartition, PriceAnswers, PriceName};

/// The service's name, for failures and limits.
const PRICING: &str = "pricing";

/// The query for a price, and the product that it is for.
struct PriceQuery {
    /// The code of the service that sells it.
    service: &'static str,
    /// The instance type; empty for other products.
    size: String,
    /// The filters of the query: attributes, with the values that they must have.
    filters: Vec<(&'static str, String)>,
    /// The usage type without the code of its region; empty for any.
    usage: &'static str,
    /// The operation; empty for any.
    operation: &'static str,
    /// The unit.
    unit: &'static str,
}

/// A product in an answer.
#[derive(Deserialize)]
struct Offer {
    product: Product,
    #[serde(default)]
    terms: Terms,
    #[serde(rename = "publicationDate", default)]
    published: String,
}

#[derive(Deserialize)]
struct Product {
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
struct Terms {
    #[serde(rename = "OnDemand", default)]
    on_demand: BTreeMap<String, Term>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Term {
    #[serde(default)]
    price_dimensions: BTreeMap<String, Dimension>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dimension {
    #[serde(default)]
    unit: String,
    #[serde(default)]
    begin_range: String,
    #[serde(default)]
    price_per_unit: BTreeMap<String, String>,
}

/// Returns the region that answers for prices of another one. The list of China has no prices in US dollars.
pub(super) fn endpoint_region(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("eu" | "me" | "af" | "il") => "eu-central-1",
        Some("ap") => "ap-south-1",
        _ => "us-east-1",
    }
}

impl PriceList for AwsProvider {
    fn prices<'a>(&'a self, names: &'a BTreeSet<PriceName>) -> BoxFuture<'a, Result<PriceAnswers, Failure>> {
        Box::pin(async move {
            let found = try_join_all(names.iter().map(|name| find(self, name))).await?;
            let published = found.iter().flatten().map(|(_, published)| published.clone()).max();
            let amounts = names.iter().zip(found);
            let amounts = amounts.filter_map(|(name, found)| Some((name.clone(), found?.0)));
            Ok(PriceAnswers { amounts: amounts.collect(), published: published.filter(|day| !day.is_empty()) })
        })
    }
}

/// Returns the price list of a region; `None` if it has no prices in US dollars, or cannot be asked.
pub(super) fn price_list(aws: &AwsProvider) -> Option<&dyn PriceList> {
    (AwsPartition::of(&aws.scope.region) == AwsPartition::Commercial).then_some(aws)
}

/// Returns a price with the day of its list; `None` if the list does not have exactly one.
async fn find(aws: &AwsProvider, name: &PriceName) -> Result<Option<(String, String)>, Failure> {
    let query = PriceQuery::new(name, &aws.scope.region);
    let filters: Result<Vec<Filter>, _> = query.filters.iter().map(|(field, value)| filter(field, value)).collect();
    let filters = filters.map_err(|error| internal("GetProducts", error.to_string()))?;
    let pages = || {
        let request = aws.pricing.get_products().service_code(query.service).set_filters(Some(filters.clone()));
        request.into_paginator().items().send().try_collect()
    };
    let products: Vec<String> = aws.read(PRICING, "GetProducts", pages).await?;
    Ok(pick(&query, &products))
}

fn filter(field: &str, value: &str) -> Result<Filter, aws_sdk_pricing::error::BuildError> {
    // A usage type begins with a code of the region, for example `EUC1-`.
    let how = if field == "usagetype" { FilterType::Contains } else { FilterType::TermMatch };
    Filter::builder().r#type(how).field(field).value(value).build()
}

impl PriceQuery {
    fn new(name: &PriceName, region: &str) -> Self {
        let of = |service, usage: &'static str, operation, unit| {
            let region = match service {
                // One list for all regions.
                "AmazonRoute53" => None,
                // Traffic has a region at each end.
                "AWSDataTransfer" => Some(("fromRegionCode", region.to_owned())),
                _ => Some(("regionCode", region.to_owned())),
            };
            let filters = region.into_iter().chain([("usagetype", usage.to_owned())]).collect();
            Self { service, size: String::new(), filters, usage, operation, unit }
        };
        match name {
            PriceName::Instance(size) => Self {
                service: "AmazonEC2",
                size: size.clone(),
                filters: [
                    ("regionCode", region),
                    ("instanceType", size),
                    ("operatingSystem", "Linux"),
                    ("tenancy", "Shared"),
                    ("preInstalledSw", "NA"),
                    ("capacitystatus", "Used"),
                ]
                .map(|(field, value)| (field, value.to_owned()))
                .into(),
                usage: "",
                operation: "",
                unit: "Hrs",
            },
            PriceName::ApplicationLoadBalancer => of("AWSELB", "LoadBalancerUsage", "LoadBalancing:Application", "Hrs"),
            PriceName::ApplicationLoadBalancerCapacity => {
                of("AWSELB", "LCUUsage", "LoadBalancing:Application", "LCU-Hrs")
            }
            PriceName::Gp3 => of("AmazonEC2", "EBS:VolumeUsage.gp3", "", "GB-Mo"),
            PriceName::HostedZone => of("AmazonRoute53", "HostedZone", "", "HostedZone"),
            PriceName::LoadBalancer => of("AWSELB", "LoadBalancerUsage", "LoadBalancing:Network", "Hrs"),
            PriceName::LoadBalancerCapacity => of("AWSELB", "LCUUsage", "LoadBalancing:Network", "LCU-Hrs"),
            PriceName::ManagedControlPlane => of("AmazonEKS", "AmazonEKS-Hours:perCluster", "", "Hrs"),
            PriceName::NatGateway => of("AmazonEC2", "NatGateway-Hours", "NatGateway", "Hrs"),
            PriceName::NatGatewayTraffic => of("AmazonEC2", "NatGateway-Bytes", "NatGateway", "GB"),
            PriceName::PublicAddress => of("AmazonVPC", "PublicIPv4:InUseAddress", "", "Hrs"),
            PriceName::ObjectStorage => of("AmazonS3", "TimedStorage-ByteHrs", "", "GB-Mo"),
            PriceName::ZoneTransfer => of("AWSDataTransfer", "DataTransfer-Regional-Bytes", "", "GB"),
        }
    }

    fn is_for(&self, product: &Product) -> bool {
        let attribute = |name: &str| product.attributes.get(name).map_or("", String::as_str);
        // Not on an outpost, nor in a local zone.
        let is_in_region = ["", "AWS Region"].contains(&attribute("locationType"));
        is_in_region
            && attribute("instanceType") == self.size
            && (self.usage.is_empty() || without_region(attribute("usagetype")) == self.usage)
            && (self.operation.is_empty() || attribute("operation") == self.operation)
    }
}

/// Returns the only price of the products, and the day of its list. Two prices are a product that the query does not know.
fn pick(query: &PriceQuery, products: &[String]) -> Option<(String, String)> {
    let offers = products.iter().filter_map(|product| serde_json::from_str::<Offer>(product).ok());
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for offer in offers.filter(|offer| query.is_for(&offer.product)) {
        let dimensions = offer.terms.on_demand.values().flat_map(|term| term.price_dimensions.values());
        for dimension in dimensions.filter(|dimension| dimension.is_first_tier() && unit(&dimension.unit) == query.unit)
        {
            let amount = dimension.price_per_unit.get("USD").map(|amount| trimmed(amount));
            // A free product of the same name is another one, for example the first hours of an account.
            let day = offer.published.get(..10).unwrap_or_default().to_owned();
            found.extend(amount.filter(|amount| amount != "0").map(|amount| (amount, day)));
        }
    }
    if found.len() == 1 { found.pop_first() } else { None }
}

impl Dimension {
    /// Returns `true` for the price of the first unit: later ones of a month can be cheaper.
    fn is_first_tier(&self) -> bool {
        ["", "0"].contains(&self.begin_range.as_str())
    }
}

/// Returns a usage type without the code of its region: `USE1-LCUUsage` is `LCUUsage`.
fn without_region(usage: &str) -> &str {
    let Some((code, rest)) = usage.split_once('-') else { return usage };
    let is_code = code == "EU"
        || code.len() == 4
            && code.chars().take(3).all(|letter| letter.is_ascii_uppercase())
            && code.ends_with(|digit: char| digit.is_ascii_digit());
    if is_code { rest } else { usage }
}

/// Returns a unit in one form: not all lists write it alike.
fn unit(text: &str) -> &str {
    match text {
        "Hours" | "hours" => "Hrs",
        "GB-month" => "GB-Mo",
        "LCU-hours" => "LCU-Hrs",
        other => other,
    }
}

/// Returns a decimal number without zeros at its end.
fn trimmed(amount: &str) -> String {
    if !amount.contains('.') {
        return amount.to_owned();
    }
    amount.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    /// Returns a product as `GetProducts` answers it.
    fn product(attributes: &serde_json::Value, dimensions: &[(&str, &str, &str)]) -> String {
        let dimensions: serde_json::Map<String, serde_json::Value> = dimensions
            .iter()
            .enumerate()
            .map(|(number, (begin, unit, amount))| {
                let dimension = json!({
                    "unit": unit, "beginRange": begin, "endRange": "Inf", "description": "text",
                    "appliesTo": [], "rateCode": "ABC.JRTCKXETXF.6YS6EN2CT7", "pricePerUnit": { "USD": amount },
                });
                (format!("ABC.JRTCKXETXF.{number}"), dimension)
            })
            .collect();
        let term = json!({
            "priceDimensions": dimensions, "sku": "ABC", "effectiveDate": "2026-11-01T00:00:00Z",
            "offerTermCode": "JRTCKXETXF", "termAttributes": {},
        });
        json!({
            "product": { "productFamily": "Compute Instance", "attributes": attributes, "sku": "ABC" },
            "serviceCode": "AmazonEC2",
            "terms": { "OnDemand": { "ABC.JRTCKXETXF": term }, "Reserved": {} },
            "version": "20261120000000", "publicationDate": "2026-11-20T18:00:00Z",
        })
        .to_string()
    }

    fn found(name: &PriceName, products: &[String]) -> Option<(String, String)> {
        pick(&PriceQuery::new(name, "eu-central-1"), products)
    }

    fn price(amount: &str) -> (String, String) {
        (amount.to_owned(), "2026-11-20".to_owned())
    }

    #[test]
    fn an_instance_has_one_price_on_demand() {
        let name = PriceName::Instance("m8g.large".to_owned());
        let region = json!({ "instanceType": "m8g.large", "locationType": "AWS Region", "usagetype": "EUC1-BoxUsage:m8g.large" });
        let right = product(&region, &[("0", "Hrs", "0.1077000000")]);
        assert_eq!(found(&name, std::slice::from_ref(&right)), Some(price("0.1077")));
        let local = product(
            &json!({ "instanceType": "m8g.large", "locationType": "AWS Local Zone" }),
            &[("0", "Hrs", "0.2000000000")],
        );
        let free = product(&region, &[("0", "Hrs", "0.0000000000")]);
        let other_unit = product(&region, &[("0", "Quantity", "3.0000000000")]);
        assert_eq!(
            found(&name, &[local, free, right.clone(), other_unit, "no JSON".to_owned()]),
            Some(price("0.1077"))
        );
        assert_eq!(found(&name, &[]), None);
        let other = product(&region, &[("0", "Hrs", "0.2000000000")]);
        assert_eq!(found(&name, &[right, other]), None, "which of two it is, is unknown");
    }

    #[test]
    fn other_prices_are_found_by_usage_and_operation_in_the_first_tier() {
        let balancer = |operation: &str, amount: &str| {
            let attributes =
                json!({ "usagetype": "EUC1-LoadBalancerUsage", "operation": operation, "locationType": "AWS Region" });
            product(&attributes, &[("0", "Hrs", amount)])
        };
        let all =
            [balancer("LoadBalancing:Application", "0.0270000000"), balancer("LoadBalancing:Network", "0.0270100000")];
        assert_eq!(found(&PriceName::LoadBalancer, &all), Some(price("0.02701")));
        let storage = json!({ "usagetype": "EUC1-TimedStorage-ByteHrs", "locationType": "AWS Region" });
        let tiers = [("0", "GB-Mo", "0.0245000000"), ("51200", "GB-Mo", "0.0235000000")];
        assert_eq!(found(&PriceName::ObjectStorage, &[product(&storage, &tiers)]), Some(price("0.0245")));
        let zone = product(
            &json!({ "usagetype": "HostedZone" }),
            &[("0", "HostedZone", "0.5000000000"), ("25", "HostedZone", "0.1")],
        );
        assert_eq!(found(&PriceName::HostedZone, &[zone]), Some(price("0.5")));
        let transfer = json!({ "usagetype": "EUC1-DataTransfer-Regional-Bytes-X" });
        assert_eq!(found(&PriceName::ZoneTransfer, &[product(&transfer, &[("0", "GB", "0.01")])]), None);
    }

    #[test]
    fn a_region_is_answered_for_by_one_near_it() {
        let nearest = ["us-west-2", "sa-east-1", "ca-central-1", "eu-north-1", "ap-southeast-2"].map(endpoint_region);
        assert_eq!(nearest, ["us-east-1", "us-east-1", "us-east-1", "eu-central-1", "ap-south-1"]);
        assert_eq!(without_region("USE1-LCUUsage"), "LCUUsage");
        assert_eq!(without_region("TimedStorage-ByteHrs"), "TimedStorage-ByteHrs");
        assert_eq!(trimmed("100"), "100");
    }
}
