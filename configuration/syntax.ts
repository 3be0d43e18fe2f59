import type { Document, YAMLError } from 'yaml';
import type { Positions } from './position.ts';
import type { DocumentProblem } from './problems.ts';

/** What is wrong with the YAML itself; up to the first error that loses the thread, since the rest follow from it. */
export function syntaxProblems(doc: Document, text: string, at: Positions): DocumentProblem[] {
  const lost = doc.errors.findIndex(({ code }) => code !== 'DUPLICATE_KEY');
  const errors = lost < 0 ? doc.errors : doc.errors.slice(0, lost + 1);
  return errors.map((error) => describe(error, text, at));
}

function describe(error: YAMLError, text: string, at: Positions): DocumentProblem {
  const [from, to] = error.pos;
  const position = at.offset(from, to);
  const line = text.split('\n')[position.line - 1] ?? '';
  return { ...position, path: '', found: null, expected: null, about: null, ...advice(error, line) };
}

function advice(error: YAMLError, line: string): Pick<DocumentProblem, 'message' | 'hint' | 'example'> {
  const sentence = error.message.split('\n')[0]!.replace(/;? please use .*$/, '');
  const message = `not valid YAML: ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
  const braces = /[\w/.-]+\{\w+\}/.exec(line);
  if (braces) return { message, hint: 'inside { } or [ ], put text with braces in quotes', example: `"${braces[0]}"` };
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return { message, hint: 'indent with spaces, two a level', example: null };
    case 'DUPLICATE_KEY':
      return { message: 'this key is written twice', hint: 'keep one of the two', example: null };
    case 'MULTIPLE_DOCS':
      return { message: 'a second document starts here', hint: 'one document a file: remove the `---`', example: null };
    case 'BLOCK_AS_IMPLICIT_KEY':
      return { message, hint: 'text with a colon and a space needs quotes', example: 'ask: "Ready: yes or no?"' };
    case 'MISSING_CHAR':
    case 'BAD_INDENT':
      return { message, hint: 'look for a missing closing quote, ] or } just before', example: null };
    default:
      return { message, hint: null, example: null };
  }
}
