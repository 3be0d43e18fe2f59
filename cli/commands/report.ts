import { writeFileSync } from 'node:fs';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { CommonOptions } from '../options.ts';
import type { Report } from '../render/report.ts';
import { withSession } from '../temporal/connect.ts';
import { findRun, nobodyKnows, readPlan, readStatus } from '../temporal/runs.ts';
import { runPage, uiBase } from '../temporal/ui.ts';
import { complain } from '../terminal.ts';

export interface ReportOptions extends CommonOptions {
  format: 'markdown' | 'html' | 'json';
  run?: string;
  out?: string;
}

/** Writes the report of the newest run (or `--run`) to stdout or a file. */
export async function report(options: ReportOptions): Promise<ExitCode> {
  const found = await withSession(options, async (session): Promise<Report> => {
    const run = await findRun(session, options);
    const status = await readStatus(session, run);
    if (!status) throw nobodyKnows(run);
    const base = uiBase(session.address);
    return {
      status,
      plan: await readPlan(session, run),
      workflowId: run.workflowId,
      runId: run.runId,
      link: base ? runPage(base, session.namespace, run.workflowId, run.runId) : null,
    };
  });
  const text = await toText(found, options.json ? 'json' : options.format);
  if (options.out) {
    writeFileSync(options.out, text);
    complain(`Written to ${options.out}`);
  } else process.stdout.write(text);
  return exitCodes.succeeded;
}

async function toText(found: Report, format: ReportOptions['format']): Promise<string> {
  switch (format) {
    case 'html':
      return (await import('../render/report-html.ts')).reportHtml(found);
    case 'markdown':
      return (await import('../render/report-markdown.ts')).reportMarkdown(found);
    case 'json':
      return `${JSON.stringify(found, null, 2)}\n`;
  }
}
