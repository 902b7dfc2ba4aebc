/** Draws the plot: a panel of bars for each row, as an SVG that follows the reader's light or dark theme. */
import { METRICS, type RowResult, type Series } from '../metrics.ts';
import { format, summaryOf } from './figures.ts';
import type { Run } from './run.ts';

const WIDTH = 860;
const NAME_WIDTH = 230;
const VALUE_WIDTH = 110;
const BAR = { height: 14, step: 19 } as const;
const PANEL = { title: 26, gap: 16 } as const;

const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 13px }
.ours { fill: #0969da } .floor { fill: #1a7f37 } .peer { fill: #8c959f } .variant { fill: #8250df }
.spread { stroke: #24292f; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .spread { stroke: #e6edf3 } }`;

/** Draws a run. In each panel the bars start at 0, and the longest stands for the highest value. */
export function renderPlot({ rows }: Run): string {
  let top = 8;
  const panels = rows.map((row) => {
    const panel = renderPanel(row, top);
    top += PANEL.title + row.series.length * BAR.step + PANEL.gap;
    return panel;
  });
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img" aria-label="Benchmark figures; shorter bars are better">`;
  return `${head}\n<style>${STYLE}\n</style>\n${panels.join('\n')}\n</svg>\n`;
}

/** Draws the panel of one row. */
function renderPanel(row: RowResult, top: number): string {
  const longest = Math.max(...row.series.map((series) => summaryOf(series, row.metric)?.max ?? 0));
  const scale = (WIDTH - NAME_WIDTH - VALUE_WIDTH) / (longest || 1);
  const title = `${row.title}: ${METRICS[row.metric].label} (less is better)`;
  const bars = row.series.map((series, index) =>
    renderBar(series, row, { top: top + PANEL.title + index * BAR.step, scale }),
  );
  return [`<text class="title" x="0" y="${top + 14}">${escapeXml(title)}</text>`, ...bars].join('\n');
}

/** Draws one server: its median as a bar, and the range of its rounds as a line. */
function renderBar(
  series: Series,
  { metric }: RowResult,
  { top, scale }: { readonly top: number; readonly scale: number },
): string {
  const summary = summaryOf(series, metric);
  if (summary === undefined) return '';
  const at = (value: number): number => NAME_WIDTH + Math.max(0, value) * scale;
  const [middle, low, high] = [at(summary.median), at(summary.min), at(summary.max)];
  const y = top + BAR.height / 2;
  return [
    `<text x="${NAME_WIDTH - 8}" y="${top + 11}" text-anchor="end">${escapeXml(series.server)}</text>`,
    `<rect class="${series.kind}" x="${NAME_WIDTH}" y="${top}" width="${(middle - NAME_WIDTH).toFixed(1)}" height="${BAR.height}"/>`,
    `<line class="spread" x1="${low.toFixed(1)}" x2="${high.toFixed(1)}" y1="${y}" y2="${y}"/>`,
    `<text x="${(high + 6).toFixed(1)}" y="${top + 11}">${format(metric, summary.median)}</text>`,
  ].join('\n');
}

/** Escapes text for XML. */
function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
