/** The call of a client that was recorded, byte for byte but for the tool and the id, and what that client opens its session with. */
import { findRecordedClient } from '../../fixture/recorded-clients.ts';
import type { KnownCall } from './requests.ts';
import type { Hello } from './sse-session.ts';

/** The known call as a client sends it: its fields in its order, with all that it says besides. */
export function createRecordedCall(client: string, known: KnownCall): KnownCall {
  const { call } = findRecordedClient(client);
  const params = { ...call.params, name: known.tool, arguments: known.input };
  const [before = '', after = ''] = JSON.stringify({ ...call, id: ID, params }).split(`"${ID}"`);
  return { ...known, message: (id) => `${before}${id}${after}` };
}

/** Stands where the id of a call goes. */
const ID = 'the id of the call';

/** What a client opens its session with; undefined where it opens none. */
export function helloOf(client: string): Hello | undefined {
  const { hello } = findRecordedClient(client);
  return (
    hello && {
      revision: String(hello.params?.['protocolVersion']),
      message: JSON.stringify({ ...hello, id: 0 }),
    }
  );
}
