/** The sign-in pages, without a script: the one that takes the token, the one that explains a problem, and the one that leads back. */
import { isLoopbackRedirect } from '../../auth/sign-in/redirect-policy.ts';
import type { TicketClaims } from '../../auth/sign-in/sealed-values.ts';
import { html, type Html } from './html.ts';

/** What a client may use, as the page names it: a tool, a prompt, a resource. */
export interface Offer {
  readonly title: string;
  /** The scope that it needs; undefined if it needs none. */
  readonly scope: string | undefined;
}

/** The contents of the page that takes the token. */
export interface ConsentFacts {
  readonly serverName: string;
  readonly ticket: TicketClaims;
  readonly sealedTicket: string;
  readonly offers: readonly Offer[];
  /** Why the pasted token was refused. */
  readonly refusal?: string | undefined;
}

/** Renders the page that takes the token. */
export function renderConsent({ serverName, ticket, sealedTicket, offers, refusal }: ConsentFacts): string {
  const { host } = new URL(ticket.issuer);
  const client = ticket.clientName ?? 'A client without a name';
  return renderPage(
    `Sign in to ${serverName}`,
    html`<h1>${client} wants to use ${serverName} as you</h1>
      <p class="host">
        This page is on <strong>${host}</strong>. Continue only if you have just started this sign-in
        yourself.
      </p>
      <section>
        <h2>Who asks</h2>
        <p><strong>${client}</strong> ${vouch(ticket)}</p>
      </section>
      <section>
        <h2>Where you are sent if you allow this</h2>
        ${describePlace(ticket.redirectUri)}
      </section>
      <section>
        <h2>What it may then do as you</h2>
        ${describeRights(ticket, offers)}
      </section>
      ${refusal === undefined ? undefined : html`<p class="refusal" role="alert" id="refusal">${refusal}</p>`}
      <form method="post" action="authorize">
        <input type="hidden" name="ticket" value="${sealedTicket}" />
        <label for="token">Your token for ${host}</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="off"
          autocapitalize="off"
          spellcheck="false"
          required
          autofocus
          ${refusal === undefined ? undefined : html`aria-invalid="true" aria-describedby="refusal"`}
        />
        <p class="note">
          Your token stays on this server: the client gets a token of its own, which stops working when yours
          does.
        </p>
        <div class="buttons">
          <button class="allow" name="action" value="allow">Allow</button>
          <button name="action" value="deny" formnovalidate>Deny</button>
        </div>
      </form>`,
  );
}

/** Renders the page that says why the sign-in cannot go on. */
export function renderProblem(serverName: string, words: string): string {
  return renderPage(
    `Sign in to ${serverName}`,
    html`<h1>This sign-in cannot continue</h1>
      <p class="refusal" role="alert">${words}</p>
      <p class="note">You can close this page. No client has been given access.</p>`,
  );
}

/** Renders the body of the redirect, for browsers that ask before they open another program, or do not open it. */
export function renderRedirect(serverName: string, location: string): string {
  return renderPage(
    `Back to your client from ${serverName}`,
    html`<h1>Back to your client</h1>
      <p>
        Your browser should go there by itself. If it does not, <a href="${location}">continue here</a>.
      </p>`,
  );
}

/** Says whether the client's name is verified. */
function vouch({ clientHost }: TicketClaims): Html {
  return clientHost === undefined
    ? html`<span class="badge unknown">name not verified</span>`
    : html`<span class="badge">verified: ${clientHost}</span>`;
}

/** Describes where the authorization code is sent, so that a person can judge it. */
function describePlace(redirectUri: string): Html {
  const { protocol, host } = new URL(redirectUri);
  if (isLoopbackRedirect(redirectUri)) {
    return html`<p class="place">${host}</p>
      <p class="warning">
        That is a program on this computer. If you did not start a program that asked for this, choose Deny.
      </p>`;
  }
  if (protocol === 'https:') return html`<p class="place">${host}</p>`;
  return html`<p class="place">${protocol}//${host}</p>
    <p class="warning">
      Addresses that begin with ${protocol} open a program on this device. If no program there asked for this,
      choose Deny.
    </p>`;
}

/** Describes what the client may do, by the titles of what it may use. */
function describeRights({ scopes, refreshes }: TicketClaims, offers: readonly Offer[]): Html {
  const until = refreshes
    ? 'The client stays signed in until you, or the person who runs this server, ends that.'
    : '';
  const asked = offers.filter(({ scope }) => scope !== undefined && scopes?.includes(scope) === true);
  const free = offers.filter(({ scope }) => scope === undefined);
  if (scopes === undefined) {
    return html`<p>Everything that your token allows.</p>
      <p class="note">${until}</p>`;
  }
  return html`<ul>
      ${[...asked, ...free].map(({ title }) => html`<li>${title}</li>`)}
    </ul>
    <p class="note">It can do this only as far as your token allows. ${until}</p>`;
}

/** Renders a whole page. */
function renderPage(title: string, main: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        <link rel="stylesheet" href="authorize/style.css" />
      </head>
      <body>
        <main>${main}</main>
      </body>
    </html> `.text;
}
