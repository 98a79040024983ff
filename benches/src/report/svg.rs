//! Bars and lines as SVG, on white, whatever page they stand in.

use std::fmt::Write;

/// The colours of series, which people with any sight can tell apart (Okabe and Ito).
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"];
const WIDTH: f64 = 900.0;
/// Where the axis of bars begins; their names stand before it.
const LEFT: f64 = 250.0;
const RIGHT: f64 = 820.0;
const ROW: f64 = 20.0;
/// The height of lines.
const PLOT: f64 = 280.0;

/// A page of plots, one below the other.
#[derive(Debug, Default)]
pub(super) struct Page {
    body: String,
    height: f64,
}

/// A bar: its name, its length, and which colour it has.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) colour: usize,
}

/// A line: its name and its points.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

impl Page {
    /// Bars from left to right with their values beside them; `mark` draws a line down at a value.
    pub(super) fn bars(&mut self, title: &str, unit: &str, mark: Option<f64>, bars: &[Bar]) {
        if bars.is_empty() {
            return;
        }
        self.title(title);
        let top = self.height;
        let bottom = top + ROW * count(bars.len());
        let most = bars.iter().map(|bar| bar.value).chain(mark).fold(0.0, f64::max);
        let scale = Scale::new(most);
        let x = |value: f64| LEFT + (RIGHT - LEFT) * value / scale.end;
        self.vertical(&scale, x, top, bottom);
        for (row, Bar { name, value, colour }) in bars.iter().enumerate() {
            let y = top + ROW * count(row) + ROW / 2.0;
            let (width, height) = ((x(*value) - LEFT).max(0.0), ROW - 6.0);
            let colour = COLOURS[colour % COLOURS.len()];
            let _ = writeln!(
                self.body,
                r#"<rect x="{LEFT}" y="{:.1}" width="{width:.1}" height="{height}" fill="{colour}"/>"#,
                y - height / 2.0
            );
            self.text(LEFT - 8.0, y + 4.0, "end", name);
            self.text(x(*value).max(LEFT) + 6.0, y + 4.0, "start", &number(*value));
        }
        if let Some(mark) = mark {
            self.line((x(mark), top), (x(mark), bottom), "#333", 1.5);
        }
        self.text(f64::midpoint(LEFT, RIGHT), bottom + 36.0, "middle", unit);
        self.height = bottom + 60.0;
    }

    /// Lines over an axis on which each step doubles.
    pub(super) fn lines(&mut self, title: &str, across: &str, up: &str, lines: &[Line]) {
        let points = || lines.iter().flat_map(|line| &line.points);
        if points().next().is_none() {
            return;
        }
        self.title(title);
        let (top, bottom, left, right) = (self.height, self.height + PLOT, 90.0, 620.0);
        let scale = Scale::new(points().map(|point| point.1).fold(0.0, f64::max));
        let last = points().map(|point| point.0.log2()).fold(1.0, f64::max);
        let x = |value: f64| left + (right - left) * value.log2() / last;
        let y = |value: f64| bottom - PLOT * value / scale.end;
        for tick in scale.ticks() {
            self.line((left, y(tick)), (right, y(tick)), "#ddd", 1.0);
            self.text(left - 8.0, y(tick) + 4.0, "end", &number(tick));
        }
        let mut ticks: Vec<f64> = points().map(|point| point.0).collect();
        ticks.sort_by(f64::total_cmp);
        ticks.dedup();
        for tick in ticks {
            self.line((x(tick), bottom), (x(tick), bottom + 5.0), "#333", 1.0);
            self.text(x(tick), bottom + 20.0, "middle", &number(tick));
        }
        self.line((left, bottom), (right, bottom), "#333", 1.0);
        for (index, line) in lines.iter().enumerate() {
            let colour = COLOURS[index % COLOURS.len()];
            // More lines than colours are told apart by dashes.
            let dash = if index < COLOURS.len() { "" } else { r#" stroke-dasharray="6 4""# };
            let path: Vec<_> =
                line.points.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1))).collect();
            let stroke = format!(r#"stroke="{colour}" stroke-width="2"{dash}"#);
            let _ = writeln!(self.body, r#"<polyline points="{}" fill="none" {stroke}/>"#, path.join(" "));
            let legend = top + 10.0 + ROW * count(index);
            let _ = writeln!(
                self.body,
                r#"<line x1="{}" y1="{legend}" x2="{}" y2="{legend}" {stroke}/>"#,
                right + 20.0,
                right + 44.0
            );
            self.text(right + 52.0, legend + 4.0, "start", &line.name);
        }
        self.text(f64::midpoint(left, right), bottom + 42.0, "middle", across);
        let middle = f64::midpoint(top, bottom);
        let _ = writeln!(
            self.body,
            r#"<text x="24" y="{middle}" text-anchor="middle" transform="rotate(-90 24 {middle})">{}</text>"#,
            escape(up)
        );
        self.height = bottom + ROW * count(lines.len().saturating_sub(14)) + 70.0;
    }

    pub(super) fn finish(self) -> String {
        let height = self.height + 10.0;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#222\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{}</svg>\n",
            self.body
        )
    }

    fn title(&mut self, title: &str) {
        let (y, title) = (self.height + 34.0, escape(title));
        let _ =
            writeln!(self.body, r#"<text x="20" y="{y}" font-size="16" font-weight="bold">{title}</text>"#);
        self.height = y + 18.0;
    }

    fn vertical(&mut self, scale: &Scale, x: impl Fn(f64) -> f64, top: f64, bottom: f64) {
        for tick in scale.ticks() {
            self.line((x(tick), top), (x(tick), bottom), "#ddd", 1.0);
            self.text(x(tick), bottom + 16.0, "middle", &number(tick));
        }
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: &str, width: f64) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = writeln!(
            self.body,
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{colour}" stroke-width="{width}"/>"#
        );
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, text: &str) {
        let text = escape(text);
        let _ = writeln!(self.body, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#);
    }
}

/// An axis from zero to a round number.
struct Scale {
    step: f64,
    end: f64,
}

impl Scale {
    fn new(most: f64) -> Self {
        let most = most.max(f64::MIN_POSITIVE);
        let power = 10_f64.powf((most / 4.0).log10().floor());
        let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power);
        let step = steps.into_iter().find(|step| most / step <= 5.0).unwrap_or(10.0 * power);
        Self { step, end: step * (most / step).ceil() }
    }

    fn ticks(&self) -> impl Iterator<Item = f64> + use<> {
        let (step, end) = (self.step, self.end);
        (0..=10).map(move |index| step * f64::from(index)).take_while(move |tick| *tick <= end * 1.001)
    }
}

fn count(items: usize) -> f64 {
    u32::try_from(items).map_or(f64::MAX, f64::from)
}

/// With as many decimals as tell something.
fn number(value: f64) -> String {
    match value.abs() {
        small if small < 10.0 && small.fract() != 0.0 => format!("{value:.2}"),
        medium if medium < 100.0 && medium.fract() != 0.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number() {
        for (most, step, end) in [(0.93, 0.2, 1.0), (12_345.0, 2_500.0, 12_500.0), (41.0, 10.0, 50.0)] {
            let scale = Scale::new(most);
            assert!(
                (scale.step - step).abs() < 1e-9 && (scale.end - end).abs() < 1e-9,
                "{most}: {}",
                scale.end
            );
        }
    }

    #[test]
    fn names_are_escaped() {
        let mut page = Page::default();
        page.bars("a < b & c", "unit", None, &[Bar { name: "<x>".to_owned(), value: 1.0, colour: 9 }]);
        let text = page.finish();
        assert!(text.contains("a &lt; b &amp; c") && text.contains(">&lt;x&gt;</text>"), "{text}");
    }
}
