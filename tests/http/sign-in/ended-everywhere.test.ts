/** What a client ends, or two are found to have, is over in every process of the server that can be reached. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createFamilies } from '../../../src/auth/sign-in/families.ts';
import { shareEnds } from '../../../src/server/sign-in.ts';
import { createPeerGroup } from '../../support/peer-group.ts';
import { eventually } from '../../support/raw-http.ts';

/** Three processes. */
function startProcesses() {
  const group = createPeerGroup();
  return ['one', 'two', 'three'].map(() => {
    const [families, peers] = [createFamilies(), group.join()];
    let told = 0;
    shareEnds(families, {
      onTell: (kind, hear) => peers.onTell(kind, hear),
      async tell(kind, body) {
        told += 1;
        await peers.tell(kind, body);
      },
    });
    return { families, countTold: () => told };
  });
}

test.each([
  ['its client ends', (families: ReturnType<typeof createFamilies>) => void families.end('mine')],
  [
    'whose code comes twice',
    (families: ReturnType<typeof createFamilies>) => {
      families.useCode('mine', Infinity);
      expect(() => families.useCode('mine', Infinity)).toThrow('used before');
    },
  ],
  [
    'of which an old refresh token comes',
    (families: ReturnType<typeof createFamilies>) => {
      families.useRefresh('mine', 2);
      expect(() => families.useRefresh('mine', 0)).toThrow('was used before');
    },
  ],
])('a sign-in %s is over in all processes, and others go on', async (_how, end) => {
  const processes = startProcesses();

  processes.slice(0, 1).forEach(({ families }) => end(families));
  await eventually(() => processes.every(({ families }) => families.hasEnded('mine')));

  expect(processes.map(({ families }) => families.hasEnded('other'))).toEqual([false, false, false]);
  expect(processes.map(({ countTold }) => countTold())).toEqual([1, 0, 0]);
});

test('one that ends again is told of once', () => {
  const [process] = startProcesses();

  void process?.families.end('mine');
  void process?.families.end('mine');

  expect(process?.countTold()).toBe(1);
});

test('who ends one waits until the others have been told', async () => {
  const families = createFamilies();
  let release: (() => void) | undefined;
  let isOver = false;
  shareEnds(families, {
    onTell: () => undefined,
    tell: async () =>
      new Promise<void>((resolve) => {
        release = resolve;
      }),
  });

  const ending = families.end('mine').then(() => (isOver = true));
  await nextTurn();
  const wasOver = isOver;
  release?.();
  await ending;

  expect([wasOver, isOver]).toEqual([false, true]);
});
