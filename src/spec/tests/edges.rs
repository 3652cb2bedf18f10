//! Each rule at its limit: the last valid value, and the first invalid one.

use super::read;

/// Returns the codes of a file of these parts, errors and warnings, in file order.
fn codes(zones: &str, masters: &str, rest: &str) -> String {
    let text = format!(
        "name = \"chat.poeticoding.com\"\nstate = \"s3://state.chat.poeticoding.com\"\n\
         zones = [{zones}]\nmasters {{\n{masters}\n}}\n{rest}\n"
    );
    let parsed = read("edge.hcl", &text);
    parsed.diagnostics.iter().map(|problem| problem.code).collect::<Vec<_>>().join(" ")
}

const THREE: &str = r#""us-east-1a", "us-east-1b", "us-east-1c""#;
const MASTERS: &str = "size = \"m7g.large\"";

fn nodes(settings: &str) -> String {
    format!("nodes \"workers\" {{\nsize = \"t3.large\"\n{settings}\n}}\n")
}

fn with(rest: &str) -> String {
    codes(THREE, MASTERS, &format!("{}{rest}", nodes("count = 2")))
}

#[test]
fn master_counts() {
    let count = |n: u32| codes(THREE, &format!("{MASTERS}\ncount = {n}"), &nodes("count = 1"));
    let found: Vec<String> = (0..=9).map(count).collect();
    assert_eq!(found, ["Q0402", "Q0412", "Q0401", "", "Q0401", "", "Q0401", "", "Q0403", "Q0403"]);
}

#[test]
fn quorum() {
    let spread = |zones: &str, count: u32| codes(zones, &format!("{MASTERS}\ncount = {count}"), &nodes("count = 1"));
    assert_eq!(spread(r#""us-east-1a", "us-east-1b""#, 3), "Q0411");
    assert_eq!(spread(r#""us-east-1a", "us-east-1b""#, 5), "Q0411");
    assert_eq!(spread(THREE, 7), "");
    assert_eq!(spread(r#""us-east-1a""#, 1), "Q0412");
    let listed = |zones: &str| codes(THREE, &format!("{MASTERS}\nzones = [{zones}]"), &nodes("count = 1"));
    assert_eq!(listed(r#""us-east-1a", "us-east-1a", "us-east-1b""#), "Q0411");
    assert_eq!(listed(r#""us-east-1c", "us-east-1b", "us-east-1a""#), "");
    assert_eq!(listed(r#""us-east-1a", "us-east-1b""#), "Q0401");
    assert_eq!(listed(""), "Q0402");
}

#[test]
fn machines_and_routes() {
    let count = |n: u32| codes(THREE, MASTERS, &nodes(&format!("count = {n}")));
    assert_eq!(count(496), "");
    assert_eq!(count(497), "Q0308");
    let without = "network {\nplugin = \"none\"\n}\n";
    assert_eq!(codes(THREE, MASTERS, &format!("{}{without}", nodes("min = 0\nmax = 600"))), "");
    let range = |pods: &str| {
        let rest = format!("{}network {{\npods = \"{pods}\"\n}}\n", nodes("count = 5"));
        codes(THREE, MASTERS, &rest)
    };
    assert_eq!(range("100.96.0.0/21"), "");
    assert_eq!(range("100.96.0.0/22"), "Q0309");
    assert_eq!(count(u32::MAX), "Q0309 Q0308");
}

#[test]
fn networks() {
    let network = |settings: &str| with(&format!("network {{\n{settings}\n}}\n"));
    assert_eq!(network("cidr = \"10.0.0.0/16\""), "");
    assert_eq!(network("cidr = \"10.0.0.0/15\""), "Q0304");
    assert_eq!(network("cidr = \"10.0.0.0/25\""), "");
    assert_eq!(network("cidr = \"10.0.0.0/26\""), "Q0307");
    assert_eq!(network("cidr = \"10.0.0.0/29\""), "Q0304");
    assert_eq!(network("cidr = \"100.95.0.0/16\""), "");
    assert_eq!(network("cidr = \"100.64.0.0/16\""), "Q0305");
    assert_eq!(network("services = \"172.20.0.0/24\""), "Q0305");
    assert_eq!(network("services = \"10.0.0.0/11\""), "Q0304");
    assert_eq!(network("cidr = \"\""), "Q0301");
    assert_eq!(network("cidr = \"::/0\""), "Q0302");
    let subnets = |a: &str| network(&format!("subnets = {{ \"us-east-1a\" = \"{a}\" }}"));
    assert_eq!(subnets("172.20.128.0/20"), "");
    assert_eq!(subnets("172.20.0.0/29"), "Q0304");
    assert_eq!(subnets("172.21.0.0/20"), "Q0306");
    assert_eq!(subnets("172.20.64.0/20"), "Q0305");
}

#[test]
fn more_zones_than_the_range_has_parts() {
    let zones = |n: u8| {
        let letters = (b'a'..b'a' + n).map(char::from);
        let names: Vec<String> = letters.map(|letter| format!("\"us-east-1{letter}\"")).collect();
        codes(&names.join(", "), MASTERS, &nodes("count = 2"))
    };
    assert_eq!(zones(8), "");
    assert_eq!(zones(9), "Q0307");
}

#[test]
fn node_scales() {
    let scale = |settings: &str| codes(THREE, MASTERS, &nodes(settings));
    assert_eq!(scale("count = 1"), "");
    assert_eq!(scale("count = 0"), "Q0424");
    assert_eq!(scale("min = 0\nmax = 1"), "");
    assert_eq!(scale("min = 0\nmax = 0"), "Q0424");
    assert_eq!(scale("min = 2\nmax = 2"), "");
    assert_eq!(scale("min = 3\nmax = 2"), "Q0422");
    assert_eq!(scale("max = 2"), "Q0421");
    assert_eq!(scale("count = 1\nmin = 1"), "Q0421");
    assert_eq!(scale(""), "Q0421");
}

#[test]
fn burstable_masters() {
    let masters =
        |size: &str, count: u32| codes(THREE, &format!("size = \"{size}\""), &nodes(&format!("count = {count}")));
    assert_eq!(masters("t3.medium", 10), "");
    assert_eq!(masters("t3.medium", 11), "Q0413");
    assert_eq!(masters("t3.small", 1), "Q0413");
    assert_eq!(masters("t3.micro", 1), "Q0414");
    assert_eq!(masters("m7g.medium", 40), "");
}

#[test]
fn tags() {
    let tag = |key: &str, value: &str| with(&format!("tags = {{ \"{key}\" = \"{value}\" }}\n"));
    assert_eq!(tag("team", ""), "");
    assert_eq!(tag("AWS:x", "y"), "Q0231");
    assert_eq!(tag("$x", "y"), "Q0231");
    assert_eq!(tag("quorate.dev/cluster", "y"), "Q0231");
    assert_eq!(tag(&"k".repeat(128), &"v".repeat(256)), "");
    assert_eq!(tag(&"k".repeat(129), "v"), "Q0232");
    assert_eq!(tag("k", &"v".repeat(257)), "Q0232");
    assert_eq!(tag("", "v"), "Q0232");
}

#[test]
fn access() {
    assert_eq!(with("api {\nallow = [\"0.0.0.0/1\"]\n}\n"), "");
    assert_eq!(with("api {\nallow = [\"0.0.0.0/0\"]\n}\n"), "Q0432");
    assert_eq!(with("ssh {\nallow = []\n}\n"), "");
    assert_eq!(with("ssh {\npublic_key = \"ssh-dss AAAA\"\n}\n"), "Q0431");
}

#[test]
fn dns() {
    assert_eq!(with("dns {\nzone = \"chat.poeticoding.com\"\ncreate = true\n}\n"), "");
    assert_eq!(with("dns {\nzone = \"oeticoding.com\"\n}\n"), "Q0222");
    assert_eq!(with("dns {\nzone = \"none\"\n}\n"), "Q0221");
    assert_eq!(with("dns {\npublic = true\n}\n"), "");
}

#[test]
fn images() {
    let image = |image: &str| with(&format!("service \"web\" {{\nimage = \"{image}\"\nreplicas = 2\n}}\n"));
    let digest = format!("ghcr.io/team/chat@sha256:{}", "a".repeat(64));
    let good = ["nginx", "nginx:1.27", "localhost:5000/a/b:c", "alvises/phoenix-chat-example:1_kops_chat"];
    for name in good.into_iter().chain([digest.as_str()]) {
        assert_eq!(image(name), "", "{name}");
    }
    for name in ["", ":1", "Nginx", "a//b", "nginx:", "nginx@sha256:12", "a b", "-a", "a/b:c/d:e:f"] {
        assert_eq!(image(name), "Q0506", "{name}");
    }
}

#[test]
fn load_balancers() {
    let nlb = |ports: &str, settings: &str| {
        with(&format!(
            "service \"web\" {{\nimage = \"nginx\"\nreplicas = 2\nstateful = false\n{ports}\nnlb {{\n{settings}\n}}\n}}\n"
        ))
    };
    let web = |settings: &str| nlb("port = 80", settings);
    assert_eq!(web("port = 80\nsticky = true\npreserve_client_ip = true"), "");
    assert_eq!(web("listener \"a\" {\nport = 80\n}"), "", "a block is enough");
    assert_eq!(web("port = 80\nlistener \"a\" {\nport = 80\n}"), "Q0521");
    assert_eq!(web(""), "Q0520");
    assert_eq!(web("target = \"main\"\nlistener \"a\" {\nport = 80\n}"), "Q0520");
    assert_eq!(web("port = 80\ntarget = \"main\"\nprotocol = \"TCP\""), "");
    assert_eq!(web("port = 80\nprotocol = \"UDP\""), "Q0523");
    let both = "ports = { dns = \"53/tcp+udp\" }";
    for protocol in ["TCP", "UDP", "TCP_UDP"] {
        assert_eq!(nlb(both, &format!("port = 53\nprotocol = \"{protocol}\"")), "", "{protocol}");
    }
    let tls = |arn: &str| web(&format!("port = 443\nprotocol = \"TLS\"\ncertificate = \"{arn}\""));
    assert_eq!(tls("arn:aws:acm:us-east-1:123456789012:certificate/1"), "");
    assert_eq!(tls("arn:aws:iam::123456789012:server-certificate/web"), "");
    assert_eq!(tls("arn:aws:acm:us-east-2:123456789012:certificate/1"), "Q0525");
    assert_eq!(tls("arn:aws:acm:us-east-1:12345678901:certificate/1"), "Q0525");
    assert_eq!(tls("arn:aws:acm:us-east-1:123456789012:secret/1"), "Q0525");
    assert_eq!(nlb("ports = { a = \"1\", b = \"2\" }", "port = 80"), "Q0522");
    assert_eq!(nlb("ports = { a = \"1\", b = \"2\" }", "port = 80\ntarget = \"b\""), "");
    assert_eq!(nlb("ports = { a = \"x\" }", "port = 80"), "Q0513", "and not that it leads nowhere");
    assert_eq!(nlb("", "port = 80"), "Q0502");
}

#[test]
fn the_web() {
    let services = |zones: &str, settings: &[&str]| {
        let services = settings.iter().enumerate().map(|(number, settings)| {
            format!(
                "service \"s{number}\" {{\nimage = \"nginx\"\nreplicas = 2\nstateful = false\n\
                 ports = {{ main = \"80\", dns = \"53/udp\" }}\nhttp {{\n{settings}\n}}\n}}\n"
            )
        });
        codes(zones, MASTERS, &format!("{}{}", nodes("count = 2"), services.collect::<String>()))
    };
    let web = |settings: &[&str]| services(THREE, settings);
    assert_eq!(web(&["host = \"www\""]), "");
    assert_eq!(web(&["hosts = [\"www\", \"poeticoding.com\", \"chat.poeticoding.com\"]"]), "");
    assert_eq!(web(&["host = \"https://www\""]), "Q0551");
    assert_eq!(web(&["host = \"api\""]), "Q0503", "that is Kubernetes");
    let label = "a".repeat(63 - 22 + 2);
    assert_eq!(web(&[&format!("host = \"{label}\"")]), "", "64 characters");
    assert_eq!(web(&[&format!("host = \"{label}a\"")]), "Q0551");
    assert_eq!(web(&[""]), "Q0552");
    assert_eq!(web(&["host = \"a\"\nhosts = [\"b\"]"]), "Q0552");
    assert_eq!(web(&["hosts = []"]), "Q0552");
    let path = |path: &str| web(&[&format!("host = \"www\"\npath = \"{path}\"")]);
    assert_eq!(path(&format!("/{}", "a".repeat(125))), "");
    for bad in ["", "api", "/api/", "/api/*", "//", "/a b", &format!("/{}", "a".repeat(126))] {
        assert_eq!(path(bad), "Q0553", "{bad}");
    }
    assert_eq!(web(&["host = \"www\"", "host = \"www\"\npath = \"/api\""]), "");
    assert_eq!(web(&["host = \"www\"", "host = \"www.chat.poeticoding.com\""]), "Q0554");
    assert_eq!(web(&["hosts = [\"www\", \"www\"]"]), "Q0554");
    assert_eq!(web(&["host = \"www\"\ntarget = \"dns\""]), "Q0523");
    assert_eq!(web(&["host = \"www\"\ntarget = \"other\""]), "Q0522");
    assert_eq!(web(&["host = \"www\"\nhealth_path = \"up\""]), "Q0515");
    assert_eq!(services(r#""us-east-1a""#, &["host = \"www\""]), "Q0411 Q0555");
    let two = with(
        "service \"a\" {\nimage = \"nginx\"\nreplicas = 2\nstateful = false\nport = 80\n\
         nlb {\nport = 80\ndomain = \"www.chat.poeticoding.com\"\n}\nhttp {\nhost = \"www\"\n}\n}\n",
    );
    assert_eq!(two, "Q0503", "a name leads to one load balancer");
    assert_eq!(with("service \"a\" {\nimage = \"nginx\"\nreplicas = 2\nhttp {\nhost = \"www\"\n}\n}\n"), "Q0522");
}

#[test]
fn ports_and_placement() {
    let service = |settings: &str| with(&format!("service \"web\" {{\nimage = \"nginx\"\n{settings}\n}}\n"));
    assert_eq!(service("port = 53\nports = { dns = \"53/udp\" }"), "", "one number, twice");
    assert_eq!(service("port = 53\nports = { dns = \"53/tcp+udp\" }"), "Q0518");
    assert_eq!(service("ports = { main = \"53\" }"), "", "nothing else is called so");
    assert_eq!(service("ports = { dns = \"65536\" }"), "Q0513");
    assert_eq!(service(&format!("ports = {{ {} = \"1\" }}", "p".repeat(15))), "");
    assert_eq!(service(&format!("ports = {{ {} = \"1\" }}", "p".repeat(16))), "Q0423");
    let health = |ports: &str| service(&format!("{ports}\nhealth {{\npath = \"/\"\n}}"));
    assert_eq!(health("port = 80"), "");
    assert_eq!(health("ports = { a = \"1/udp\", b = \"2\" }"), "");
    assert_eq!(health("ports = { a = \"1/udp\" }"), "Q0519");
    let placement = |settings: &str| service(&format!("placement {{\n{settings}\n}}"));
    assert_eq!(placement("nodes = [\"workers\"]\nzones = [\"us-east-1a\"]\ntolerate = [\"a=b:NoExecute\"]"), "");
    assert_eq!(placement("nodes = [\"other\"]"), "Q0531");
    assert_eq!(placement("zones = [\"us-east-1d\"]"), "Q0212");
    assert_eq!(placement("tolerate = [\"\"]"), "Q0532");
}

#[test]
fn architectures() {
    let mixed = |services: &str| {
        let arm = "nodes \"arm\" {\nsize = \"t4g.large\"\ncount = 2\n}\n";
        codes(THREE, MASTERS, &format!("{}{arm}{services}", nodes("count = 2")))
    };
    let service = |settings: &str| format!("service \"web\" {{\nimage = \"nginx\"\n{settings}\n}}\n");
    assert_eq!(mixed(""), "");
    assert_eq!(mixed(&service("")), "Q0512");
    assert_eq!(mixed(&service("placement {\nnodes = [\"arm\"]\n}")), "");
    assert_eq!(mixed(&service("placement {\nnodes = [\"arm\", \"workers\"]\n}")), "Q0512");
    assert_eq!(mixed(&service("").replace("web", "1web")), "Q0512 Q0423");
}
