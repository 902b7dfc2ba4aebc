/** Reads the sources with the compiler's parser: what each file imports, and what it does at its top level. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript';
import { listSources } from './compiled-source.ts';
import { ROOT } from './process.ts';

/** One import of a file. */
export interface Import {
  /** A path under `src`, such as `auth/user.ts`, or the specifier of a package or of a Node module. */
  readonly target: string;
  readonly isOurs: boolean;
  /** Whether it is an `import type`, which the compiler removes. */
  readonly isType: boolean;
}

/** One file under `src`. */
export interface SourceFile {
  /** Such as `auth/user.ts`. */
  readonly name: string;
  readonly text: string;
  readonly imports: readonly Import[];
  /** The statements that do something when the file is imported, as far as its text shows. */
  readonly effects: readonly string[];
  /** Whether it reads the environment of the process, or passes it on. */
  readonly touchesEnvironment: boolean;
}

/** Reads every file under `src`, or under another folder. */
export async function readSources(folder = 'src'): Promise<SourceFile[]> {
  const names = await listSources(folder);
  return Promise.all(
    names.map(async (name) => parseSource(name, await readFile(path.join(ROOT, folder, name), 'utf8'))),
  );
}

/** Reads the text of one file. */
export function parseSource(name: string, text: string): SourceFile {
  const tree = ts.createSourceFile(name, text, ts.ScriptTarget.ES2023, true);
  return {
    name,
    text,
    imports: importsOf(tree, name),
    effects: effectsOf(tree),
    touchesEnvironment: touchesEnvironment(tree),
  };
}

/** Finds every import and re-export, static or dynamic, and types written as `import('…')`. */
function importsOf(tree: ts.SourceFile, name: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node, isType: boolean): void => {
    if (!ts.isStringLiteralLike(specifier))
      throw new Error(`${name} imports something that is not a literal.`);
    const isOurs = specifier.text.startsWith('.');
    const target = isOurs ? path.posix.join(path.posix.dirname(name), specifier.text) : specifier.text;
    found.push({ target, isOurs, isType });
  };
  visit(tree, (node) => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      add(node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      if (specifier !== undefined) add(specifier, false);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, true);
    }
  });
  return found;
}

/** What happens when a file is imported: statements that do something, and variables made with Node or the process. */
function effectsOf(tree: ts.SourceFile): string[] {
  const fromNode = new Set<string>();
  for (const statement of tree.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    if (!statement.moduleSpecifier.text.startsWith('node:')) continue;
    visit(statement, (node) => {
      if (ts.isIdentifier(node)) fromNode.add(node.text);
    });
  }
  const effects: string[] = [];
  for (const statement of tree.statements) {
    if (!isDeclaration(statement)) effects.push(firstLineOf(statement));
    else if (ts.isVariableStatement(statement)) {
      visit(statement, (node) => {
        const isForeign = ts.isIdentifier(node) && (node.text === 'process' || fromNode.has(node.text));
        if (isForeign || ts.isAwaitExpression(node)) effects.push(firstLineOf(statement));
        return !isFunction(node);
      });
    }
  }
  return effects;
}

/** Whether a statement only declares something. */
function isDeclaration(statement: ts.Statement): boolean {
  return (
    ts.isImportDeclaration(statement) ||
    ts.isExportDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isVariableStatement(statement)
  );
}

/** Whether a node is a function, whose body does not run by itself. */
function isFunction(node: ts.Node): boolean {
  return ts.isArrowFunction(node) || ts.isFunctionExpression(node) || ts.isMethodDeclaration(node);
}

/** Whether `process` is used other than by a property besides `env`, or its module is imported. */
function touchesEnvironment(tree: ts.SourceFile): boolean {
  let touches = false;
  visit(tree, (node) => {
    if (ts.isStringLiteral(node) && /^(node:)?process$/.test(node.text)) touches = true;
    if (!ts.isIdentifier(node) || node.text !== 'process') return;
    // `globalThis.process` is the same object.
    const whole =
      ts.isPropertyAccessExpression(node.parent) && node.parent.name === node ? node.parent : node;
    const isOther = ts.isPropertyAccessExpression(whole.parent) && whole.parent.name.text !== 'env';
    if (!isOther) touches = true;
  });
  return touches;
}

/** Walks a tree; when the visitor returns false, the node's children are left out. */
function visit(node: ts.Node, visitor: (node: ts.Node) => boolean | void): void {
  if (visitor(node) === false) return;
  ts.forEachChild(node, (child) => visit(child, visitor));
}

/** The first line of a statement, for a message. */
function firstLineOf(statement: ts.Statement): string {
  return statement.getText().split('\n')[0] ?? '';
}
