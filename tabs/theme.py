"""The look: warm paper, ink, one accent. Every colour is a variable, so that the dark page is one block."""

import gradio as gr

CSS = """
:root {
  --paper: #faf7f1; --raised: #fffdf8; --ink: #16130f; --muted: #6b6256;
  --line: #e9e2d6; --accent: #b54f15; --soft: #e9b48f;
}
.dark {
  --paper: #14120f; --raised: #1d1a16; --ink: #f5f0e6; --muted: #a89d8c;
  --line: #38332b; --accent: #e8813f; --soft: #7a4526;
}
/* Without the last three a phone's page grows to its content. */
.gradio-container {
  max-width: 1040px !important; margin: 0 auto !important; width: 100%; min-width: 0; box-sizing: border-box;
}
.head { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; margin-top: 0.5rem; }
.head h1 { font-size: 2rem; letter-spacing: -0.02em; line-height: 1.1; margin: 0; color: var(--ink); }
.head a { color: var(--muted); text-decoration: none; border-bottom: 1px solid var(--line); }
.subtitle { color: var(--muted); margin: 0.4rem 0 0.6rem; }
.columns { gap: 2.5rem; align-items: flex-start; }

.pad-paper { position: relative; max-width: min(320px, 45vh); margin: 0 auto; }
.pad canvas {
  width: 100%; aspect-ratio: 1; display: block; touch-action: none; cursor: crosshair; color: var(--ink);
  background: var(--raised); border: 1px solid var(--line); border-radius: 14px; box-sizing: border-box;
}
.pad-hint {
  position: absolute; inset: 0; display: grid; place-items: center; color: var(--muted); pointer-events: none;
}
.pad-hint[hidden] { display: none; }
.pad-row {
  display: flex; align-items: center; gap: 0.5rem; max-width: 320px; margin: 0.75rem auto 0; color: var(--muted);
}
.pad-row > * { white-space: nowrap; }
.pad-row button {
  font-size: 0.9rem; height: 44px; cursor: pointer; color: var(--ink);
  background: var(--raised); border: 1px solid var(--line); border-radius: 10px;
}
.pad-row svg { height: 100%; display: block; }
.pad-row path { fill: none; stroke: currentColor; stroke-linecap: round; stroke-linejoin: round; }
.pad-row [data-strokes] { width: 52px; padding: 0; }
.pad-row svg { margin: 0 auto; }
.pad-clear { margin-left: auto; padding: 0 0.9rem; }
.pad-row button:hover, .pad-row button:focus-visible { border-color: var(--accent); }

.answer {
  display: grid; grid-template-columns: auto 1fr auto; gap: 0.75rem 1.25rem; align-items: center; min-height: 126px;
}
.numeral {
  font-size: min(5rem, 21rem / var(--length, 1)); line-height: 1; font-weight: 600; min-width: 1ch; color: var(--ink);
  font-variant-numeric: tabular-nums;
}
.numeral.muted { color: var(--muted); }
.sentence { color: var(--ink); font-size: 1.1rem; }
.pictures { display: flex; flex-wrap: wrap; gap: 0.75rem; }
.pictures figure { margin: 0; text-align: center; width: 92px; }
.pictures figcaption, .pictures p { color: var(--muted); font-size: 0.75rem; line-height: 1.3; margin: 0.25rem 0 0; }
.pixels {
  width: 84px; height: 84px; image-rendering: pixelated; border-radius: 10px;
  display: inline-block; vertical-align: top;
  background: var(--raised) center / cover; box-shadow: inset 0 0 0 1px var(--line);
}
.pictures figcaption { word-break: keep-all; }
.many .pictures { grid-column: 1 / -1; }
.many .pictures figure { display: block; width: auto; }
.many .pixels { width: 44px; height: 44px; border-radius: 6px; }
.many .pixels + .pixels { margin-left: 3px; }
.many .pictures p { flex-basis: 100%; margin: 0; }
.read-page { grid-column: 1 / -1; margin: 0; }
.read-page svg { width: 100%; max-height: 420px; display: block; border-radius: 10px; background: var(--raised); }
.read-page rect { fill: none; stroke: var(--accent); }
.read-page .unsure { stroke: var(--muted); }
.read-page polyline { fill: none; stroke: var(--accent); opacity: 0.45; }
.read-page text {
  fill: var(--accent); font-weight: 600; paint-order: stroke; stroke: var(--raised);
}
.read-page figcaption { color: var(--muted); font-size: 0.75rem; margin: 0.25rem 0 0; }
.numeral.lines { font-size: min(2.2rem, 21rem / var(--length, 1)); line-height: 1.15; }
.camera { display: none; }
@media (pointer: coarse) { .camera { display: block; } }
.photograph {
  display: flex; align-items: center; justify-content: center; max-width: 320px; height: 44px; margin: 0 auto;
  cursor: pointer; color: var(--ink); background: var(--raised); border: 1px solid var(--line); border-radius: 10px;
}
.photograph:focus-within { border-color: var(--accent); }
.photograph input { position: absolute; opacity: 0; width: 1px; height: 1px; }
#label { min-height: 150px; font-variant-numeric: tabular-nums; }
#label .empty svg { display: none; }
#source, #source * { color: var(--muted); font-size: 0.85rem; overflow-wrap: anywhere; }
.controls { align-items: center; }
.gradio-container .html-container { padding: 0; }
.buttons { gap: 0.5rem; }
.buttons button {
  flex: none; width: auto; min-width: 0; min-height: 40px; padding: 0 0.9rem; border: 1px solid var(--line);
}
.opinions {
  grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 1rem 2.5rem; align-items: center;
  border-top: 1px solid var(--line); padding-top: 1rem; color: var(--ink);
}
.opinions > p { grid-column: 1 / -1; margin: 0; color: var(--muted); }
.opinions table, .methods {
  width: 100%; margin: 0; border: 0; border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums;
}
.opinions th, .opinions td, .methods th, .methods td {
  border: 0; border-bottom: 1px solid var(--line); padding: 0.35rem 0 0.35rem 0.5rem;
  text-align: right; white-space: nowrap; font-weight: 400;
}
.opinions tr, .methods tr { border: 0; }
.opinions th:first-child, .methods th:first-child { text-align: left; padding-left: 0; }
.opinions thead th, .methods thead th { color: var(--muted); font-size: 0.8rem; }
.opinions td:nth-child(2) { min-width: 4ch; font-weight: 600; white-space: normal; overflow-wrap: anywhere; }
.opinions figure { margin: 0; }
.opinions svg { width: 100%; max-width: 420px; display: block; margin: 0 auto; overflow: visible; }
.opinions path { stroke: var(--line); fill: none; }
.opinions circle { fill: var(--accent); }
.opinions text { fill: var(--muted); font-size: 11px; }
.opinions .middle { text-anchor: middle; }
.opinions .end { text-anchor: end; }
.opinions .name { fill: var(--ink); }
.opinions figcaption { color: var(--muted); font-size: 0.8rem; text-align: center; margin-top: 0.25rem; }
.source, .source *, .legend, #rebuilt .muted, #methods .muted {
  color: var(--muted); font-size: 0.85rem; overflow-wrap: anywhere;
}
#sample-gallery .gallery {
  display: grid; grid-template-columns: repeat(var(--columns, 6), minmax(0, 1fr)); gap: 3px; max-width: 540px;
}
#sample-gallery .pixels { width: 100%; height: auto; aspect-ratio: 1; border-radius: 4px; }
.seed { align-items: end; flex-wrap: nowrap !important; }
.seed > * { min-width: 0 !important; }
.seed button { border: 1px solid var(--line); min-height: 40px; }
.plane {
  position: relative; width: 100%; max-width: 560px; aspect-ratio: 1; margin: 0 auto; touch-action: none;
  cursor: crosshair; background: black center / 100% 100%; background-image: var(--plane, none); border-radius: 10px;
}
.cross {
  position: absolute; width: 22px; height: 22px; margin: -11px 0 0 -11px; border-radius: 50%; pointer-events: none;
  border: 3px solid var(--accent); box-shadow: 0 0 0 1px white, inset 0 0 0 1px white; box-sizing: border-box;
}
.legend b { color: var(--colour, inherit); margin-right: 0.75rem; font-variant-numeric: tabular-nums; }
.large { margin: 0 auto; text-align: center; width: min(100%, 224px); }
.large .pixels { width: 100%; height: auto; aspect-ratio: 1; }
.large figcaption { color: var(--muted); font-size: 0.85rem; margin-top: 0.5rem; font-variant-numeric: tabular-nums; }
.pads { flex-wrap: nowrap !important; }
.pads .pad-row > span { display: none; }
.strip { display: grid; grid-template-columns: repeat(12, minmax(0, 1fr)); gap: 3px; }
.strip .pixels { width: 100%; height: auto; aspect-ratio: 1; border-radius: 4px; }
.methods { max-width: 34rem; margin-top: 1rem; }
.methods .best th, .methods .best td { font-weight: 600; }
#methods, #cleaned, #face-methods, #denoised, #reconstructed { color: var(--ink); }
.source .figures { color: var(--ink); font-size: 1.1rem; font-weight: 400; font-variant-numeric: tabular-nums; }
.pictures-grid .grid-wrap { min-height: 0; max-height: none; overflow: visible; }
#whose .grid-container { grid-template-columns: repeat(auto-fill, 72px); }
#face-strip .grid-container { grid-template-columns: repeat(3, minmax(0, 1fr)); }
.rebuilt { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 1rem; }
.rebuilt figure { margin: 0; text-align: center; }
.rebuilt .pixels { width: 84px; height: 84px; }
.rebuilt figcaption { color: var(--muted); font-size: 0.8rem; line-height: 1.3; margin-top: 0.25rem; }
.rebuilt b { color: var(--ink); font-variant-numeric: tabular-nums; }
.nav-holder, footer { display: none !important; }
@media (max-width: 640px) and (max-height: 700px) { .subtitle { display: none; } }
@media (max-width: 640px) {
  .columns { gap: 1rem; }
  .numeral { font-size: min(4rem, 21rem / var(--length, 1)); }
  .answer { min-height: 136px; gap: 0.75rem; align-content: start; }
  .sentence { font-size: 1rem; }
  .pictures { grid-column: 1 / -1; gap: 0.5rem; }
  .pictures figure { display: flex; align-items: center; gap: 0.5rem; flex: 1; text-align: left; }
  .pictures figcaption { font-size: 0.7rem; margin: 0; }
  .pictures-grid .caption-label { font-size: 0.62rem; max-width: 100%; padding: 0.1rem 0.25rem; }
  .many .pictures figure { flex: none; text-align: center; }
  .pixels { width: 60px; height: 60px; flex: none; }
  .opinions { grid-template-columns: minmax(0, 1fr); }
  .opinions table { font-size: 0.78rem; }
  .opinions thead th, .methods thead th {
    font-size: 0.7rem; white-space: normal; vertical-align: bottom;
  }
  #attempts .grid-container, #fillings .grid-container { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .opinions th, .opinions td, .methods th, .methods td { padding-left: 0.25rem; }
  .pad-row > span { display: none; }
  .pads .pad-row { gap: 0.25rem; }
  .pads .pad-row button { height: 40px; }
  .pads [data-strokes] { flex: 1 1 0; width: auto; min-width: 0; max-width: 34px; }
  .pads [data-strokes] svg { max-width: 100%; }
  .pads .pad-clear { padding: 0 0.4rem; }
  .tab-container button { padding: 0 0.55rem; font-size: 0.85rem; }
  #parts .tab-container button { padding: 0 0.35rem; font-size: 0.8rem; }
  .strip { grid-template-columns: repeat(6, minmax(0, 1fr)); }
  .rebuilt { grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 0.75rem; }
}
"""

_BOTH = {
    "body_background_fill": "var(--paper)",
    "body_text_color": "var(--ink)",
    "body_text_color_subdued": "var(--muted)",
    "background_fill_primary": "var(--raised)",
    "background_fill_secondary": "var(--paper)",
    "block_background_fill": "var(--raised)",
    "block_border_color": "var(--line)",
    "block_label_background_fill": "var(--raised)",
    "block_label_text_color": "var(--muted)",
    "block_title_text_color": "var(--muted)",
    "border_color_primary": "var(--line)",
    "border_color_accent": "var(--accent)",
    "color_accent_soft": "var(--soft)",
    "input_background_fill": "var(--raised)",
    "input_border_color": "var(--line)",
    "input_border_color_focus": "var(--accent)",
    "button_secondary_background_fill": "var(--raised)",
    "button_secondary_background_fill_hover": "var(--paper)",
    "button_secondary_border_color": "var(--line)",
    "button_secondary_text_color": "var(--ink)",
    "button_primary_background_fill": "var(--accent)",
    "button_primary_text_color": "var(--paper)",
    "slider_color": "var(--accent)",
    "stat_background_fill": "var(--accent)",
    "link_text_color": "var(--accent)",
}


def theme() -> gr.themes.Base:
    """`gr.themes.Base` in our colours; system fonts only, so the page asks no other host."""
    fonts = ["ui-sans-serif", "system-ui", "Noto Sans SC", "sans-serif"]
    dark = {f"{key}_dark": value for key, value in _BOTH.items()}
    return gr.themes.Base(font=fonts, font_mono=["ui-monospace", "monospace"], radius_size="lg").set(
        **_BOTH, **dark, color_accent="var(--accent)", block_shadow="none", button_large_radius="10px"
    )
