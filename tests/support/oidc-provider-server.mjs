/**
 * A real identity provider, oidc-provider, in a process of its own, since it needs a newer Node. Every user is signed in as `grace`, and
 * consents to everything. `FORMAT` is the format of its access tokens: jwt or opaque. Prints its address.
 */
// @ts-nocheck -- oidc-provider has no types
/* oxlint-disable -- and without them every use of it is an unsafe one */
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const { FORMAT = 'jwt', RESOURCE = '' } = process.env;
const server = createServer().listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    scopes: ['openid', 'offline_access', 'greet', 'echo'],
    clients: [
      {
        client_id: 'mcp-server',
        client_secret: 'secret',
        token_endpoint_auth_method: 'client_secret_basic',
        redirect_uris: [],
        response_types: [],
        grant_types: [],
      },
    ],
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    clientDefaults: { application_type: 'native', token_endpoint_auth_method: 'none' },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: 'greet echo',
          audience: resource,
          accessTokenFormat: FORMAT,
          accessTokenTTL: 300,
          ...(FORMAT === 'jwt' && { jwt: { sign: { alg: 'RS256' } } }),
        }),
      },
    },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
  });
  const handle = provider.callback();
  server.on('request', (req, res) => {
    if (!req.url.startsWith('/interaction/')) return handle(req, res);
    return answerInteraction(provider, req, res).catch((error) => {
      res.writeHead(500).end(String(error));
    });
  });
  process.stdout.write(`${issuer}\n`);
});

/** Signs `grace` in, and grants every requested scope. */
async function answerInteraction(provider, req, res) {
  const { prompt, params, session } = await provider.interactionDetails(req, res);
  if (prompt.name === 'login')
    return provider.interactionFinished(req, res, { login: { accountId: 'grace' } });
  const { missingOIDCScope: words = [], missingResourceScopes: resources = {} } = prompt.details;
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (words.length > 0) grant.addOIDCScope(words.join(' '));
  for (const [resource, scopes] of Object.entries(resources))
    grant.addResourceScope(resource, scopes.join(' '));
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } });
}
