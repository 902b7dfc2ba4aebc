/** What this server calls itself towards clients. A test holds it to package.json. */

/** Name and version, as `initialize` and `/health` tell them. */
export const SERVER_INFO = { name: 'mcp-auth-server', version: '0.1.0' } as const;
