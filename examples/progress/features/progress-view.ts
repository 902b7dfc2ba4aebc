/** The view of `my_progress`: a page that clients with MCP Apps (`io.modelcontextprotocol/ui`) show beside the answer. */
import { defineResource } from '../../../src/mcp/resource.ts';
import { VIEW_URI } from '../view-uri.ts';

/** The page. It loads nothing and asks for nothing: the client passes it the tool's result, which it shows as text, never as HTML. */
const PAGE = `<!doctype html>
<html lang="en">
  <meta charset="utf-8" />
  <title>My progress</title>
  <style>
    body { font: 14px/1.5 system-ui, sans-serif; margin: 12px; color-scheme: light dark; }
    progress { width: 100%; }
    p { margin: 0 0 8px; }
  </style>
  <main>Waiting for the answer …</main>
  <script>
    const main = document.querySelector('main');
    const send = (message) => parent.postMessage({ jsonrpc: '2.0', ...message }, '*');
    const show = ({ structuredContent, content = [] }) => {
      const lessons = structuredContent?.lessons;
      if (!Array.isArray(lessons)) {
        main.textContent = content.map(({ text = '' }) => text).join('\\n');
      } else {
        main.replaceChildren(
          ...lessons.map(({ title, solved, exercises, tries }) => {
            const row = document.createElement('p');
            const bar = document.createElement('progress');
            [bar.value, bar.max] = [solved, exercises];
            bar.setAttribute('aria-label', title);
            row.append(title + ': ' + solved + ' of ' + exercises + ', ' + tries + ' tries', bar);
            return row;
          }),
        );
      }
      const { width, height } = document.documentElement.getBoundingClientRect();
      send({ method: 'ui/notifications/size-changed', params: { width, height } });
    };
    addEventListener('message', ({ source, data }) => {
      if (source !== parent || data?.jsonrpc !== '2.0') return;
      if (data.id === 1) send({ method: 'ui/notifications/initialized' });
      else if (data.method === 'ui/notifications/tool-result') show(data.params ?? {});
      else if (data.id !== undefined && data.method !== undefined) send({ id: data.id, result: {} });
    });
    send({
      id: 1,
      method: 'ui/initialize',
      params: {
        protocolVersion: '2026-01-26',
        appInfo: { name: 'progress', version: '1' },
        appCapabilities: {},
      },
    });
  </script>
</html>
`;

/** The resource of the view. */
export const progressView = defineResource({
  name: 'progress-view',
  title: 'My progress',
  description: 'Shows the answer of my_progress as bars.',
  uri: VIEW_URI,
  mimeType: 'text/html;profile=mcp-app',
  // The page is the same for all users: a user's data comes with the tool's result.
  cache: { ttlMs: 3_600_000, shared: true },
  read: () => PAGE,
});
