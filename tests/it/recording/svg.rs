//! Screens as a drawing that moves: every different line is drawn once, a frame refers to its lines, and the frames pass by like a film.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::{COLUMNS, Frame, ROWS};

/// Size of a character and distance of lines, in pixels.
const CHARACTER: f32 = 8.4;
const LINE: f32 = 19.0;
const MARGIN: f32 = 12.0;
/// How long the last frame stands before the film begins anew.
const REST: Duration = Duration::from_secs(6);

/// Names of the terminal's first eight colours, as classes.
const COLOURS: [&str; 8] = ["k", "r", "g", "y", "b", "m", "c", "w"];

/// The drawing.
pub fn draw(frames: &[Frame]) -> String {
    let width = MARGIN * 2.0 + CHARACTER * f32::from(COLUMNS);
    let height = MARGIN * 2.0 + LINE * f32::from(ROWS);
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    let mut film = String::new();
    for (number, frame) in frames.iter().enumerate() {
        let left = width * number as f32;
        write!(film, "<g transform=\"translate({left} 0)\">").expect("a string takes all");
        for row in 0..ROWS {
            let drawn = line(&frame.screen, row);
            if !drawn.is_empty() {
                let next = lines.len();
                let id = *lines.entry(drawn).or_insert(next);
                let top = MARGIN + LINE * (f32::from(row) + 0.75);
                write!(film, "<use href=\"#l{id}\" y=\"{top}\"/>").expect("a string takes all");
            }
        }
        film.push_str("</g>\n");
    }
    let mut defined: Vec<(usize, String)> =
        lines.into_iter().map(|(line, id)| (id, line)).collect();
    defined.sort();
    let defined: String = defined
        .iter()
        .map(|(id, line)| format!("<text id=\"l{id}\">{line}</text>\n"))
        .collect();
    let last = frames.last().expect("a frame");
    let (steps, seconds) = steps(frames, width);
    let end = width * (frames.len() - 1) as f32;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
        <title>snapexport exports two snapshots; one completes, one fails</title>\n\
        <desc>{description}</desc>\n\
        <style>\
        text{{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace;fill:#d4d4d4;white-space:pre}}\
        .r{{fill:#f48771}}.g{{fill:#89d185}}.y{{fill:#e2c08d}}.b{{fill:#75beff}}.m{{fill:#d7a7e0}}.c{{fill:#67d5d5}}.k,.d{{fill:#8a8a8a}}.w{{fill:#fff}}.o{{font-weight:bold}}\
        .f{{transform:translateX(-{end}px);animation:f {seconds}s step-end infinite}}\
        @media (prefers-reduced-motion){{.f{{animation:none}}}}\
        @keyframes f{{{steps}}}</style>\n\
        <defs>\n{defined}</defs>\n\
        <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1b1f24\"/>\n\
        <g class=\"f\">\n{film}</g>\n</svg>\n",
        description = escaped(&last.screen.contents()),
    )
}

/// When which frame stands before the eye, and how long all of it takes in seconds.
fn steps(frames: &[Frame], width: f32) -> (String, f32) {
    let whole: Duration = frames.iter().map(|frame| frame.stood).sum::<Duration>() + REST;
    let mut steps = String::new();
    let mut passed = Duration::ZERO;
    for (number, frame) in frames.iter().enumerate() {
        let percent = 100.0 * passed.as_secs_f32() / whole.as_secs_f32();
        let left = width * number as f32;
        write!(steps, "{percent:.2}%{{transform:translateX(-{left}px)}}")
            .expect("a string takes all");
        passed += frame.stood;
    }
    (steps, whole.as_secs_f32())
}

/// A row of the screen: a run of characters of one look is one span, set at its own column.
fn line(screen: &vt100::Screen, row: u16) -> String {
    let mut spans: Vec<(u16, String, String)> = Vec::new();
    for column in 0..COLUMNS {
        let Some(cell) = screen.cell(row, column) else {
            continue;
        };
        let class = class(cell);
        let text = if cell.has_contents() {
            cell.contents()
        } else {
            " "
        };
        match spans.last_mut() {
            Some((_, last, run)) if *last == class => run.push_str(text),
            _ => spans.push((column, class, text.to_owned())),
        }
    }
    let mut drawn = String::new();
    for (column, class, text) in spans {
        let text = text.trim_end();
        if !text.is_empty() {
            let left = MARGIN + CHARACTER * f32::from(column);
            let class = if class.is_empty() {
                class
            } else {
                format!(" class=\"{class}\"")
            };
            write!(
                drawn,
                "<tspan x=\"{left}\"{class}>{}</tspan>",
                escaped(text)
            )
            .expect("a string takes all");
        }
    }
    drawn
}

fn class(cell: &vt100::Cell) -> String {
    let mut classes = Vec::new();
    if let vt100::Color::Idx(index) = cell.fgcolor() {
        classes.push(COLOURS[usize::from(index % 8)]);
    }
    if cell.dim() {
        classes.push("d");
    }
    if cell.bold() {
        classes.push("o");
    }
    classes.join(" ")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn plain(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// What a reader who cannot see is told.
pub fn description(drawing: &str) -> String {
    plain(between(drawing, "<desc>", "</desc>"))
}

/// The words of the frame at which the film ends.
pub fn last_frame(drawing: &str) -> String {
    let frame = drawing.rsplit("<g transform").next().expect("a frame");
    let ids = frame
        .split("href=\"#")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let line = |id: &str| {
        let line = between(drawing, &format!("<text id=\"{id}\">"), "</text>");
        // Tags go, and leave a blank: a span begins at a column of its own.
        let texts = line
            .split('<')
            .filter_map(|part| Some(part.split_once('>')?.1));
        plain(&texts.collect::<Vec<_>>().join(" "))
    };
    ids.map(line).collect::<Vec<_>>().join("\n")
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let rest = text.split_once(start).expect("the start").1;
    rest.split_once(end).expect("the end").0
}
