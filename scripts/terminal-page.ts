/** The colours that Holdpoint's command line uses, as a dark terminal shows them. */
const colours: Record<number, string> = {
  31: '#ff7b72',
  32: '#56d364',
  33: '#e3b341',
  35: '#d2a8ff',
  36: '#76c7f0',
  90: '#8b949e',
};

/** A screen of text with SGR escape sequences as an HTML page that looks like a terminal. `prompt` stands above. */
export function terminalPage(screen: string, prompt: string): string {
  const text = `\u001b[90m$\u001b[0m \u001b[1m${prompt}\u001b[0m\n\n${screen.trimEnd()}`;
  return `<!doctype html><meta charset="utf-8"><style>
body{margin:0;background:#0d1117;display:inline-block}
pre{margin:0;padding:22px 26px;color:#e6edf3;font:13px/1.5 "DejaVu Sans Mono",Menlo,Consolas,monospace}
i{display:inline-block;box-sizing:border-box;width:1ch;height:.72em;border:solid currentColor;border-width:0 2.5px;transform:scaleX(.8)}
</style><pre>${toHtml(text)}</pre>`;
}

function toHtml(text: string): string {
  let bold = false;
  let colour: string | undefined;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what is looked for
  const parts = text.split(/\u001b\[([\d;]*)m/);
  return parts
    .map((part, index) => {
      if (index % 2 === 0) return part === '' ? '' : span(escaped(part), bold, colour);
      for (const code of part.split(';').map(Number)) {
        if (code === 0) [bold, colour] = [false, undefined];
        else if (code === 1 || code === 22) bold = code === 1;
        else colour = code === 39 ? undefined : colours[code];
      }
      return '';
    })
    .join('');
}

function span(html: string, bold: boolean, colour: string | undefined): string {
  const style = [bold ? 'font-weight:700' : '', colour ? `color:${colour}` : ''].filter(Boolean).join(';');
  return style ? `<span style="${style}">${html}</span>` : html;
}

/** Few fonts have the sign of a pause, so it is drawn. */
const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('⏸', '<i></i>');
