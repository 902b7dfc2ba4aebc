/** Asks the questions of `npm run init` at the terminal. */
import { createInterface } from 'node:readline';
import { CommandError, EXIT } from '../token/command-error.ts';
import {
  type Answers,
  EXAMPLE_NAMES,
  parseAddress,
  parseKeep,
  parseName,
  parseTitle,
  suggestTitle,
} from './answers.ts';

/** The streams for questions and answers. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/**
 * Asks for the answers that are not given. Repeats a question after an invalid answer; an empty answer means the suggested one.
 * @throws {CommandError} when the answers end before the questions
 */
export async function ask(
  given: Partial<Answers>,
  suggestedName: string,
  { input, output }: Terminal,
): Promise<Answers> {
  const reader = createInterface({ input });
  const lines = reader[Symbol.asyncIterator]();
  const answer = async <Parsed>(
    question: string,
    suggestion: string,
    parse: (text: string) => Parsed,
  ): Promise<Parsed> => {
    for (;;) {
      output.write(`${question}${suggestion === '' ? '' : ` [${suggestion}]`}: `);
      const line = await lines.next();
      if (line.done === true)
        throw new CommandError(EXIT.failed, '\nSome questions were not answered; nothing has been changed.');
      try {
        return parse(line.value.trim() || suggestion);
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        output.write(`${error.message}\n`);
      }
    }
  };

  try {
    const name = given.name ?? (await answer('Name of the server', suggestedName, parseName));
    const title = given.title ?? (await answer('Title, for people', suggestTitle(name), parseTitle));
    const address =
      'address' in given
        ? given.address
        : await answer(
            'Address where it will run, if it is known, such as https://my-app.example',
            '',
            parseAddress,
          );
    const keep =
      given.keep ??
      (await answer(
        `Which example tools to keep (${EXAMPLE_NAMES.join(', ')}; all, none)`,
        'all',
        parseKeep,
      ));
    return { name, title, address, keep };
  } finally {
    reader.close();
  }
}
