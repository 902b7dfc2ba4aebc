/** What is said of a provider's token that is refused: docs/02 lists the sentences. */
import { expect, test } from '@jest/globals';
import { FAULT_SENTENCES } from '../../src/auth/provider/refusals.ts';
import { between, readDocument, tableRowsOf } from './documents.ts';

test('docs/02 lists exactly the sentences about faults of a provider', async () => {
  const { text } = await readDocument('docs/02_AUTHENTICATION.md');

  const listed = tableRowsOf(between(text, '<!-- faults:', '<!-- end of faults -->')).map(([first = '']) =>
    first.replaceAll('`', ''),
  );

  expect(listed.toSorted()).toEqual([...FAULT_SENTENCES].toSorted());
  expect(FAULT_SENTENCES.join('')).not.toMatch(/"|scope=|error=/);
});
