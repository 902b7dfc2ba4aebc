/** The call of a recorded client, byte for byte except for the tool, its input and the id, and the client's `initialize` request. */
import { findRecordedClient } from '../../fixture/recorded-clients.ts';
import type { KnownCall } from './requests.ts';
import type { Hello } from './sse-session.ts';

/** The known call as a recorded client sends it: with its fields in its order, and with everything else that it sends. */
export function createRecordedCall(client: string, known: KnownCall): KnownCall {
  const { call } = findRecordedClient(client);
  const params = { ...call.params, name: known.tool, arguments: known.input };
  const [before = '', after = ''] = JSON.stringify({ ...call, id: ID, params }).split(`"${ID}"`);
  return { ...known, message: (id) => `${before}${id}${after}` };
}

/** A placeholder for the id of a call. */
const ID = 'the id of the call';

/** The `initialize` request of a recorded client; undefined when it opens no session. */
export function helloOf(client: string): Hello | undefined {
  const { hello } = findRecordedClient(client);
  return (
    hello && {
      revision: String(hello.params?.['protocolVersion']),
      message: JSON.stringify({ ...hello, id: 0 }),
    }
  );
}
