/** The look of the sign-in pages: system fonts, light and dark, from a phone to a wide screen. */
export const PAGE_STYLE = `:root {
  color-scheme: light dark;
  --paper: #f8f7f4; --surface: #fff; --ink: #1d1c1a; --muted: #5c5954; --line: #e2dfd8; --edge: #8b877f;
  --accent: #0b5d57; --accent-strong: #084843; --on-accent: #fff; --tint: #e3f0ee; --bad: #a1201b; --bad-tint: #fcebea;
  --warn: #6b4a00; --warn-tint: #fdf3da;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131516; --surface: #1b1e20; --ink: #ecebe8; --muted: #a6a8a7; --line: #2e3335; --edge: #777d7f;
    --accent: #6fd0c3; --accent-strong: #97e2d8; --on-accent: #06231f; --tint: #17322f; --bad: #ff9d95; --bad-tint: #3a1d1b;
    --warn: #f2cf7e; --warn-tint: #332a12;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 2rem 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;
  -webkit-text-size-adjust: 100%;
}
main {
  max-width: 30rem; margin: 0 auto; padding: 1.75rem; background: var(--surface);
  border: 1px solid var(--line); border-radius: 12px;
}
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; letter-spacing: -.015em; text-wrap: balance; overflow-wrap: anywhere; }
h2 { margin: 0 0 .25rem; font-size: .8125rem; font-weight: 600; color: var(--muted); }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
.host { color: var(--muted); }
.host strong { color: var(--ink); }
section { margin: 0 0 1.25rem; padding-top: 1rem; border-top: 1px solid var(--line); }
section p { margin: 0 0 .5rem; }
section p:last-child { margin: 0; }
.place { font-size: 1.25rem; font-weight: 640; }
.note { color: var(--muted); font-size: .9375rem; }
input + .note { margin-top: .625rem; }
main > :last-child { margin-bottom: 0; }
.badge { display: inline-block; padding: .05rem .5rem; border-radius: 99px; font-size: .8125rem; background: var(--tint); color: var(--accent-strong); }
.badge.unknown, .warning { background: var(--warn-tint); color: var(--warn); }
.warning, .refusal { padding: .625rem .75rem; border-radius: 8px; }
.refusal { margin: 0 0 1rem; background: var(--bad-tint); color: var(--bad); }
ul { margin: 0 0 .5rem; padding-left: 1.25rem; }
label { display: block; margin: 0 0 .25rem; font-weight: 600; }
input {
  width: 100%; padding: .625rem .75rem; font: inherit; color: inherit; background: var(--paper);
  border: 1px solid var(--edge); border-radius: 8px;
}
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1rem; }
button {
  flex: 1 1 8rem; min-height: 2.75rem; padding: .5rem 1rem; font: inherit; font-weight: 600; cursor: pointer;
  border: 1px solid var(--edge); border-radius: 8px; background: transparent; color: inherit;
}
button.allow { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
button.allow:hover { border-color: var(--accent-strong); background: var(--accent-strong); }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
`;
