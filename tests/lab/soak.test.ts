/** The soak: a healthy server passes a short one, and a lost or misdelivered answer or growth is found. */
import { Transform } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { inTime } from '../../lab/soak/clients.ts';
import { Chronicle } from '../../lab/soak/fleet/chronicle.ts';
import { judgeSse, judgeSteps } from '../../lab/soak/fleet/promises.ts';
import { findGrowth } from '../../lab/soak/growth.ts';
import { mayHaveBeenIdle } from '../../lab/soak/idle.ts';
import { runSoak, type SoakOptions } from '../../lab/soak/runner.ts';
import { startSoakServer } from '../../lab/soak/server.ts';
import { startFaultyProxy } from '../support/faulty-proxy.ts';
import { testInCi } from '../support/in-ci.ts';
import { builtFile, createSandbox, waitForEnd } from '../support/process.ts';

let started: Awaited<ReturnType<typeof startSoakServer>>;
let options: SoakOptions;
beforeAll(async () => {
  const scripts = {
    main: builtFile('lab/fixture/main.js'),
    heapSignal: builtFile('lab/soak/heap-signal.js'),
  };
  started = await startSoakServer(scripts);
  options = { ...started, rounds: 1, secondsPerRound: 2, loadScript: builtFile('lab/soak/load.js') };
});
afterAll(async () => {
  await started.server.stop();
});

testInCi(
  'a healthy server loses and misdelivers nothing, and everything is measured',
  async () => {
    const lines: string[] = [];

    const { counts, points, problems } = await runSoak({
      ...options,
      onProgress: (line) => lines.push(line),
    });

    expect(problems).toEqual([]);
    expect(counts['calls']).toBeGreaterThan(0);
    expect(Object.keys(counts).toSorted()).toEqual(
      expect.arrayContaining(['calls', 'kills', 'slow reads', 'token edits']),
    );
    expect(points).toEqual([expect.objectContaining({ heapMb: expect.any(Number) })]);
    expect(points[0]?.heapMb).toBeGreaterThan(1);
    expect(lines.at(-1)).toMatch(/^round 1 of 1 is over: heap/);
  },
  60_000,
);

testInCi(
  'the command has clients come and go at full speed, and says what came of it',
  async () => {
    const sandbox = createSandbox();
    const args = [builtFile('lab/soak/main.js'), '--minutes', '0.05', '--full-speed'];

    const soak = sandbox.spawn({ args, cwd: await sandbox.folder() });
    const { code } = await waitForEnd(soak, { timeoutMs: 50_000 });
    await sandbox.close();

    expect({ code, stderr: soak.stderr() }).toEqual({ code: 0, stderr: '' });
    expect(soak.stdout()).toMatch(/\nsoak: (?=.*\b\d{2,} calls)(?=.*\b\d{2,} sessions)(?=.* token edits)/);
    expect(soak.stdout()).toMatch(/in quiet, first heap [\d.]+ MB, .* handles\n\d{2,} passed, 0 failed\n$/);
  },
  60_000,
);

test.each([
  ['after more than the idle time', 'v2 http of dan: session_not_found', 1_000, true],
  ['before that', 'v2 http of dan: session_not_found', 999, false],
  ['and another error is no such end', 'v2 http of dan: fetch failed', 5_000, false],
])('a session that is gone %s may have been idle', (_when, words, quietMs, expected) => {
  expect(mayHaveBeenIdle(words, quietMs)).toBe(expected);
});

/** Changes answers to what they must not be. */
const lie = (text: string): string =>
  text.replaceAll('"userId":"ada"', '"userId":"bob"').replaceAll('Hello, ', 'HELLO, ');

testInCi(
  'an answer that is another one is found',
  async () => {
    const proxy = await startFaultyProxy(started.server.url.href, {
      answer: ({ upstream, res, forwardHead }) => {
        forwardHead();
        // Through pipes: a proxy that takes whatever comes would hide from the server that its client does not read.
        const change = new Transform({
          transform: (part, _encoding, done) => done(null, Buffer.from(lie(String(part)))),
        });
        upstream.pipe(change).pipe(res);
      },
    });

    const { problems } = await runSoak({ ...options, url: proxy.url });
    await proxy.close();

    expect(problems.filter((problem) => /misdelivered: (whoami|get_greeting)/.test(problem))).not.toEqual([]);
  },
  60_000,
);

test('an answer that does not come is lost', async () => {
  const never = new Promise<never>(() => {});

  await expect(inTime(never, 'an answer', 20)).rejects.toThrow('lost: an answer did not come within 0.02 s');
});

/** Measurements in quiet. */
const points = (heapMb: number[], handles: number[] = heapMb.map(() => 20)) =>
  heapMb.map((heap, index) => ({ heapMb: heap, rssMb: 80, handles: handles[index] }));

describe('growth', () => {
  test.each([
    ['a heap that goes up steadily', points([20, 21, 23, 25, 27, 29]), [/^heapMb grows by 8.0: 21 → 23 → 25 → 27 → 29$/]],
    ['handles that stay open', points([20, 20, 20, 20], [20, 21, 23, 25]), [/^handles grows by 4.0/]],
    ['memory that the process keeps', [60, 90, 150, 220].map((rssMb) => ({ heapMb: 20, rssMb, handles: 20 })), [/^rssMb grows by 130/]],
  ])('is found in %s', (_what, measured, problems) => {
    expect(findGrowth(measured)).toEqual(problems.map((problem) => expect.stringMatching(problem)));
  });

  test.each([
    ['a warm-up', points([10, 24, 24, 24])],
    ['ups and downs', points([20, 24, 22, 25, 23, 24])],
    ['one measurement only', points([20])],
    ['a system without /proc', [1, 2, 3].map(() => ({ heapMb: 20, rssMb: undefined, handles: undefined }))],
  ])('is not found in %s', (_what, measured) => {
    expect(findGrowth(measured)).toEqual([]);
  });
}); // prettier-ignore

/** What streams say. */
const step = (progress: number) => `{"params":{"progress":${progress}}}`;
const answer = (mark: string) => `{"result":{"content":[{"text":"${mark}"}]}}`;
const heard = (...data: string[]) => data.map((text) => ({ id: undefined, data: text }));

describe('of several processes, what is promised and not kept is found:', () => {
  const wanted = { mark: 'm of ada', steps: 2 };

  test.each([
    ['an event that comes twice', [step(1), step(1), answer('m of ada')], /^doubled/],
    ['one that does not come', [step(1), answer('m of ada')], /^missed/],
    ['the answer of somebody else', [step(1), step(2), answer('m of bob')], /^misdelivered/],
  ])('%s', (_what, messages, problem) => {
    expect(() => judgeSteps(messages, wanted)).toThrow(problem);
  });

  test('and what is kept is not', () => {
    expect(() => judgeSteps([step(1), step(2), answer('m of ada')], wanted)).not.toThrow();
    expect(() => judgeSteps([step(1), '{"error":{"data":{"code":"answer_lost"}}}'], wanted)).not.toThrow();
  });

  /** What becomes of a message to whose home Redis failed at 1 s, or at 9 s. */
  let nowMs = 0;
  const chronicle = new Chronicle(() => nowMs);
  for (const [atMs, event] of [[1_000, 'Redis hangs'], [3_500, 'Redis goes on'], [5_000, 'an instance is killed'], [9_000, 'Redis is killed']] as const) {
    nowMs = atMs;
    chronicle.note(event);
  }
  const user = { userId: 'ada', name: 'Ada', token: 't' };
  const counted: string[] = [];
  const shift = { chronicle, count: (what: string) => void counted.push(what) };

  test('what is answered twice, though refused, or to somebody else', () => {
    expect(() => judgeSse({ user }, heard('{"id":1}', '{"id":1}'), [], shift)).toThrow(/^doubled/);
    for (const [fromMs, toMs] of [[0, 999], [1_001, 3_000], [3_499, 6_000], [5_001, 7_000], [9_001, 11_000]] as const)
      expect(() => judgeSse({ user }, heard('{"id":1}'), [{ id: 1, fromMs, toMs }], shift)).toThrow(/^done although it was refused: 1, sent at/);
    expect(() => judgeSse({ user }, heard('{"text":"mark-bob-1.","id":1}'), [], shift)).toThrow(/^misdelivered/);
    expect(() => judgeSse({ user }, heard('{"text":"mark-ada-1.","id":1}'), [], shift)).not.toThrow();
    expect(counted).toEqual([]);
  });

  test('but what was under way when Redis failed, or its receiver was killed, is counted: nobody can know', () => {
    judgeSse({ user }, heard('{"id":1}', '{"id":3}'), [{ id: 1, fromMs: 999, toMs: 3_000 }, { id: 1, fromMs: 4_900, toMs: 6_900 }, { id: 2, fromMs: 8_999, toMs: 11_000 }, { id: 3, fromMs: 8_000, toMs: 9_001 }], shift);

    expect(counted).toEqual(['SSE calls uncertain', 'SSE calls uncertain', 'SSE calls uncertain']);
    nowMs = 12_000;
    expect([chronicle.hadTrouble(23_999), chronicle.hadTrouble(24_001)]).toEqual([true, false]);
    expect(chronicle.tell()).toBe('3.500 s Redis goes on, 5.000 s an instance is killed, 9.000 s Redis is killed');
  });
}); // prettier-ignore
