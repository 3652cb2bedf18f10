//! A picture as SVG: one document without scripts and without other files.

use std::fmt::Write as _;

use crate::analysis::diagram::PartChange;

use super::scene::{Area, BoxRole, Connector, Scene, SceneBox, SceneText, TextKind};

/// The colours of a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PictureTheme {
    /// Those that the reader prefers.
    #[default]
    Auto,
    /// Dark text on a light background.
    Light,
    /// Light text on a dark background.
    Dark,
}

/// The colours of a theme.
struct Palette {
    background: &'static str,
    zone: [&'static str; 2],
    card: [&'static str; 2],
    volume: [&'static str; 2],
    balancer: [&'static str; 2],
    name: [&'static str; 2],
    node: [&'static str; 2],
    pod: [&'static str; 2],
    text: &'static str,
    faint: &'static str,
    created: [&'static str; 2],
    changed: [&'static str; 2],
    replaced: [&'static str; 2],
    deleted: [&'static str; 2],
}

const LIGHT: Palette = Palette {
    background: "#ffffff",
    zone: ["#f6f8fa", "#d1d9e0"],
    card: ["#ffffff", "#d1d9e0"],
    volume: ["#fbf4e6", "#c9a66b"],
    balancer: ["#e6f2ff", "#5b9bd5"],
    name: ["#f6f8fa", "#d1d9e0"],
    node: ["#dfe6ee", "#8c98a5"],
    pod: ["#e9e3f7", "#9a86c9"],
    text: "#1f2328",
    faint: "#59636e",
    created: ["#1a7f37", "#dafbe1"],
    changed: ["#9a6700", "#fff8c5"],
    replaced: ["#0969da", "#ddf4ff"],
    deleted: ["#cf222e", "#ffebe9"],
};

const DARK: Palette = Palette {
    background: "#0d1117",
    zone: ["#151b23", "#3d444d"],
    card: ["#0d1117", "#3d444d"],
    volume: ["#2b2417", "#8a6d3b"],
    balancer: ["#122339", "#3a6ea5"],
    name: ["#151b23", "#3d444d"],
    node: ["#2a313c", "#6b7684"],
    pod: ["#2a2440", "#7b68b5"],
    text: "#f0f6fc",
    faint: "#9198a1",
    created: ["#3fb950", "#12261e"],
    changed: ["#d29922", "#272115"],
    replaced: ["#58a6ff", "#121d2f"],
    deleted: ["#f85149", "#25171c"],
};

/// The fonts of a picture. [`super::measure`] estimates the widest of them.
const SANS: &str = "system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,'DejaVu Sans',sans-serif";
const MONO: &str = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace";

/// Returns the picture as SVG.
pub(super) fn write(scene: &Scene, theme: PictureTheme) -> String {
    let Scene { width, height, .. } = scene;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"title description\">\n<title id=\"title\">{}</title>\n\
         <desc id=\"description\">{}</desc>\n<style>\n{}</style>\n",
        escaped(&scene.title),
        escaped(&scene.description),
        style(theme),
    );
    let _ = writeln!(out, "<rect class=\"background\" width=\"{width}\" height=\"{height}\"/>");
    let (zones, others): (Vec<_>, Vec<_>) = scene.boxes.iter().partition(|own| own.role == BoxRole::Zone);
    for zone in zones {
        write_box(zone, &mut out);
    }
    for connector in &scene.connectors {
        write_connector(*connector, &mut out);
    }
    for own in others {
        write_box(own, &mut out);
    }
    for text in &scene.texts {
        let change = text.parent.map(|parent| scene.boxes[parent].change).unwrap_or_default();
        write_text(text, change, &mut out);
    }
    out.push_str("</svg>\n");
    out
}

fn write_box(own: &SceneBox, out: &mut String) {
    let Area { x, y, width, height } = own.area;
    let radius = match own.role {
        BoxRole::Zone => 10,
        BoxRole::Card | BoxRole::Cell => 7,
        BoxRole::Balancer | BoxRole::Volume | BoxRole::Name => height / 2,
        BoxRole::Node | BoxRole::Badge => 4,
        BoxRole::Pod => width / 2,
    };
    let class = format!("{} {}", role_class(own.role), change_class(own.change));
    let shape = format!(
        "<rect class=\"{}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\"",
        class.trim_end()
    );
    let _ = match own.hint.as_str() {
        "" => writeln!(out, "{shape}/>"),
        hint => writeln!(out, "{shape}><title>{}</title></rect>", escaped(hint)),
    };
}

fn write_connector(Connector { from, to, y }: Connector, out: &mut String) {
    let head = to - 6;
    let _ = writeln!(out, "<path class=\"arrow\" d=\"M{from} {y}H{head}M{head} {}l6 4l-6 4z\"/>", y - 4);
}

fn write_text(text: &SceneText, change: PartChange, out: &mut String) {
    let (_, size) = text.kind.font();
    // The distance from the top of a line to its baseline.
    let baseline = text.area.y + size;
    let (anchor, x) = if text.is_centered {
        (" text-anchor=\"middle\"", text.area.x + text.area.width / 2)
    } else {
        ("", text.area.x)
    };
    let kind = match text.kind {
        TextKind::Title => "t1",
        TextKind::Name => "t2",
        TextKind::Detail => "t3",
        TextKind::Code => "t4",
        TextKind::Sign => "sign",
    };
    let class = match (text.kind, change) {
        (TextKind::Sign, change) => format!("{kind} {}", change_class(change)),
        (_, PartChange::Deleted) => format!("{kind} struck"),
        _ => kind.to_owned(),
    };
    let _ = writeln!(out, "<text class=\"{class}\" x=\"{x}\" y=\"{baseline}\"{anchor}>{}</text>", escaped(&text.text));
}

fn role_class(role: BoxRole) -> &'static str {
    match role {
        BoxRole::Zone => "zone",
        BoxRole::Card | BoxRole::Cell => "card",
        BoxRole::Volume => "volume",
        BoxRole::Balancer => "balancer",
        BoxRole::Name => "name",
        BoxRole::Node => "node",
        BoxRole::Pod => "pod",
        BoxRole::Badge => "badge",
    }
}

fn change_class(change: PartChange) -> &'static str {
    match change {
        PartChange::Unchanged => "",
        PartChange::Changed => "changed",
        PartChange::Replaced => "replaced",
        PartChange::Created => "created",
        PartChange::Deleted => "deleted",
        PartChange::Refused => "refused",
    }
}

fn style(theme: PictureTheme) -> String {
    let fonts = format!(
        "text{{font-family:{SANS};font-size:12px}}\n.t1{{font-size:20px;font-weight:700}}\n\
         .t2{{font-size:13px;font-weight:700}}\n.t4{{font-family:{MONO}}}\n.sign{{font-weight:700}}\n\
         .struck{{text-decoration:line-through}}\nrect{{stroke-width:1}}\n\
         .created,.changed,.replaced,.refused{{stroke-width:2}}\n.replaced{{stroke-dasharray:9 3}}\n\
         .deleted{{stroke-width:2;stroke-dasharray:3 3}}\n.badge,.sign{{stroke-dasharray:none}}\n.sign{{stroke:none}}\n"
    );
    match theme {
        PictureTheme::Light => fonts + &colors(&LIGHT),
        PictureTheme::Dark => fonts + &colors(&DARK),
        PictureTheme::Auto => {
            format!("{fonts}{}@media (prefers-color-scheme:dark){{\n{}}}\n", colors(&LIGHT), colors(&DARK))
        }
    }
}

fn colors(palette: &Palette) -> String {
    let Palette { background, text, faint, .. } = palette;
    let mut out = format!(
        ".background{{fill:{background}}}\ntext{{fill:{text}}}\n.t3,.t4{{fill:{faint}}}\n\
         .arrow{{stroke:{faint};fill:{faint};stroke-width:1.5}}\n"
    );
    let roles = [
        ("zone", palette.zone),
        ("card", palette.card),
        ("volume", palette.volume),
        ("balancer", palette.balancer),
        ("name", palette.name),
        ("node", palette.node),
        ("pod", palette.pod),
    ];
    for (role, [fill, stroke]) in roles {
        let _ = writeln!(out, ".{role}{{fill:{fill};stroke:{stroke}}}");
    }
    let changes = [
        ("created", palette.created),
        ("changed", palette.changed),
        ("replaced", palette.replaced),
        ("deleted", palette.deleted),
        ("refused", palette.deleted),
    ];
    for (change, [ink, fill]) in changes {
        let _ = writeln!(
            out,
            "rect.{change}{{stroke:{ink}}}\nrect.badge.{change},rect.node.{change},rect.pod.{change}{{fill:{fill}}}\n\
             text.{change}{{fill:{ink}}}"
        );
    }
    out
}

/// Returns text as XML has it. Control characters, which XML does not allow, are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}
