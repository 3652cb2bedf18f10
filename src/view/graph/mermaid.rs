//! A picture as a flowchart of Mermaid, which GitHub and others render from text.

use std::fmt::Write as _;

use crate::analysis::diagram::{ClusterDiagram, DiagramBalancer, DiagramService, PartChange, PartCount};

use super::layout::{PictureTitle, parts};
use super::scene::meaning;

/// The style of each change: the text says the same.
const CLASSES: &[(PartChange, &str)] = &[
    (PartChange::Created, "stroke:#2da44e,stroke-width:3px"),
    (PartChange::Changed, "stroke:#bf8700,stroke-width:3px"),
    (PartChange::Replaced, "stroke:#0969da,stroke-width:3px,stroke-dasharray:9 3"),
    (PartChange::Deleted, "stroke:#cf222e,stroke-width:3px,stroke-dasharray:3 3"),
    (PartChange::Refused, "stroke:#cf222e,stroke-width:5px"),
];

/// Returns the picture as a flowchart of Mermaid.
pub fn mermaid(diagram: &ClusterDiagram, title: &PictureTitle) -> String {
    let mut chart = Flowchart { text: String::new(), links: String::new() };
    let _ = writeln!(
        chart.text,
        "---\ntitle: {}\n---\nflowchart LR",
        quoted(&format!("{}: {}", title.name, title.subtitle))
    );
    chart.add_zones(diagram);
    if let Some(api) = &diagram.api {
        chart.add_balancer("api", api, "Kubernetes API");
        for (number, _) in diagram.masters.iter().enumerate() {
            chart.link("api", &format!("m{number}"));
        }
    }
    if !diagram.services.is_empty() {
        chart.text.push_str("  subgraph services[\"services\"]\n");
        for (number, service) in diagram.services.iter().enumerate() {
            let lines = service_lines(service);
            chart.node(4, &format!("s{number}"), ("[", "]"), service.change, &lines);
        }
        chart.text.push_str("  end\n");
    }
    for (number, service) in diagram.services.iter().enumerate() {
        if let Some(balancer) = &service.balancer {
            let id = format!("b{number}");
            chart.add_balancer(&id, balancer, "");
            chart.link(&id, &format!("s{number}"));
        }
    }
    chart.finish(diagram)
}

/// The text of a flowchart: its nodes, then its links.
struct Flowchart {
    text: String,
    links: String,
}

impl Flowchart {
    fn add_zones(&mut self, diagram: &ClusterDiagram) {
        for (place, zone) in diagram.zones.iter().enumerate() {
            let cidr = zone.cidr.iter().map(|cidr| format!("subnet {cidr}"));
            // A title of two lines would cover what is in the zone.
            let title: Vec<String> = std::iter::once(marked(&zone.name, zone.change)).chain(cidr).collect();
            let _ = writeln!(self.text, "  subgraph z{place}[{}]", label(&[title.join(" · ")]));
            for (number, master) in diagram.masters.iter().enumerate().filter(|(_, m)| m.zone == zone.name) {
                let name = format!("master {}", master.member);
                self.node(4, &format!("m{number}"), ("[", "]"), master.change, &[name, master.size.clone()]);
                if let Some(volume) = &master.volume {
                    let lines = ["etcd volume".to_owned(), volume.text.clone()];
                    self.node(4, &format!("v{number}"), ("[(", ")]"), volume.change, &lines);
                    self.link(&format!("m{number}"), &format!("v{number}"));
                }
            }
            for (number, group) in diagram.groups.iter().enumerate() {
                let Some(count) = group.machines.get(&zone.name) else { continue };
                let lines = [format!("nodes {}", group.name), number_text(*count, "node"), group.size.clone()];
                self.node(4, &format!("g{number}z{place}"), ("[[", "]]"), change_of(*count, group.change), &lines);
            }
            self.text.push_str("  end\n");
            if zone.change != PartChange::Unchanged {
                let _ = writeln!(self.text, "  class z{place} {}", class(zone.change));
            }
        }
    }

    /// Adds a load balancer with the names that point to it.
    fn add_balancer(&mut self, id: &str, balancer: &DiagramBalancer, title: &str) {
        let lines = [title.to_owned(), parts::balancer(balancer)];
        self.node(2, id, ("{{", "}}"), balancer.change, &lines);
        for (place, (name, change)) in balancer.names.iter().enumerate() {
            let name_id = format!("{id}n{place}");
            self.node(2, &name_id, ("([", "])"), *change, std::slice::from_ref(name));
            self.link(&name_id, id);
        }
    }

    fn node(&mut self, indent: usize, id: &str, shape: (&str, &str), change: PartChange, lines: &[String]) {
        let mut lines: Vec<String> = lines.iter().filter(|line| !line.is_empty()).cloned().collect();
        if let Some(first) = lines.first_mut() {
            *first = marked(first, change);
        }
        let class = if change == PartChange::Unchanged { String::new() } else { format!(":::{}", class(change)) };
        let _ = writeln!(self.text, "{:indent$}{id}{}{}{}{class}", "", shape.0, label(&lines), shape.1);
    }

    fn link(&mut self, from: &str, to: &str) {
        let _ = writeln!(self.links, "  {from} --> {to}");
    }

    fn finish(mut self, diagram: &ClusterDiagram) -> String {
        self.text.push_str(&self.links);
        let changes = diagram.changes();
        for (change, style) in CLASSES.iter().filter(|(change, _)| changes.contains(change)) {
            let _ = writeln!(self.text, "  classDef {} {style}", class(*change));
        }
        self.text
    }
}

fn service_lines(service: &DiagramService) -> Vec<String> {
    let zones = service.pods.iter().filter(|(_, count)| count.after > 0);
    let zones: Vec<String> = zones.map(|(zone, count)| format!("{} in {zone}", count.after)).collect();
    let pods = parts::pods(service);
    let pods = if zones.len() < 2 { pods } else { format!("{pods}: {}", zones.join(", ")) };
    let mut lines = vec![format!("service {}", service.name), service.image.clone(), pods];
    lines.extend(parts::volumes(service));
    lines
}

fn number_text(PartCount { before, after }: PartCount, noun: &str) -> String {
    parts::number_of(PartCount { before, after }, noun)
}

/// Returns the change of the machines of a zone: that of the group, unless only their number changes.
fn change_of(count: PartCount, of_group: PartChange) -> PartChange {
    match (count.before, count.after) {
        (0, 1..) => PartChange::Created,
        (1.., 0) => PartChange::Deleted,
        (before, after) if before == after && of_group != PartChange::Replaced => PartChange::Unchanged,
        _ => of_group,
    }
}

/// Returns text with its change as a word: Mermaid would take a sign at the beginning for a list.
fn marked(text: &str, change: PartChange) -> String {
    match change {
        PartChange::Unchanged => text.to_owned(),
        change => format!("{text} ({})", meaning(change)),
    }
}

fn class(change: PartChange) -> &'static str {
    match change {
        PartChange::Changed => "changed",
        other => meaning(other),
    }
}

/// Returns lines as the label of a node.
fn label(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| entities(line)).collect();
    format!("\"{}\"", lines.join("<br/>"))
}

/// Returns text with Mermaid's entities, so that none of it is syntax or HTML.
fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_alphanumeric() || " .,:/-_+~→·()".contains(c) => out.push(c),
            c if c.is_control() => out.push(' '),
            c => _ = write!(out, "#{};", u32::from(c)),
        }
    }
    out
}

/// Returns text as a string of YAML.
fn quoted(text: &str) -> String {
    let safe: String = text.chars().map(|c| if c.is_control() || c == '"' || c == '\\' { ' ' } else { c }).collect();
    format!("\"{safe}\"")
}
