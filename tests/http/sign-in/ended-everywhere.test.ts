/** A sign-in that ends in one process ends in every other process that can be reached. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createFamilies } from '../../../src/auth/sign-in/families.ts';
import { shareEnds } from '../../../src/server/sign-in.ts';
import { createPeerGroup } from '../../support/peer-group.ts';
import { eventually } from '../../support/raw-http.ts';

/** Three processes that share ends. */
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
  ['that its client revokes', (families: ReturnType<typeof createFamilies>) => void families.end('mine')],
  [
    'whose code is used twice',
    (families: ReturnType<typeof createFamilies>) => {
      families.useCode('mine', Infinity);
      expect(() => families.useCode('mine', Infinity)).toThrow('used before');
    },
  ],
  [
    'whose refresh token is used two generations late',
    (families: ReturnType<typeof createFamilies>) => {
      families.useRefresh('mine', 2);
      expect(() => families.useRefresh('mine', 0)).toThrow('was used before');
    },
  ],
])('a sign-in %s ends in all processes, and other sign-ins do not', async (_how, end) => {
  const processes = startProcesses();

  processes.slice(0, 1).forEach(({ families }) => end(families));
  await eventually(() => processes.every(({ families }) => families.hasEnded('mine')));

  expect(processes.map(({ families }) => families.hasEnded('other'))).toEqual([false, false, false]);
  expect(processes.map(({ countTold }) => countTold())).toEqual([1, 0, 0]);
});

test('a sign-in that ends twice is announced once', () => {
  const [process] = startProcesses();

  void process?.families.end('mine');
  void process?.families.end('mine');

  expect(process?.countTold()).toBe(1);
});

test('ending a sign-in waits until the other processes have been told', async () => {
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
