/** A list in YAML's flow style: `[node, server.js, --port, "{port}"]`. */
export function flowList(words: readonly string[]): string {
  return `[${words.map(flowWord).join(', ')}]`;
}

/** A text as it may stand inside [ ] or { }; quoted where YAML would read something else. */
export function flowWord(word: string): string {
  const plain = /^[A-Za-z_./-][\w./@+=-]*$/.test(word) && !/^(true|false|null|yes|no|on|off|-|\.|~)$/i.test(word);
  return plain ? word : JSON.stringify(word);
}
