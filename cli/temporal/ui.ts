import { readDevState } from '../dev-state.ts';

/**
 * Base URL of the Temporal UI: `$HOLDPOINT_UI_URL`, else the running `holdpoint dev`'s, else Temporal Cloud's,
 * else the dev server's custom of port + 1000. null where nothing can be told.
 */
export function uiBase(address: string, env: NodeJS.ProcessEnv = process.env): string | null {
  if (env.HOLDPOINT_UI_URL) return env.HOLDPOINT_UI_URL.replace(/\/+$/, '');
  const dev = readDevState();
  if (dev?.address === address) return dev.ui;
  if (/\.(tmprl\.cloud|api\.temporal\.io)(:\d+)?$/.test(address)) return 'https://cloud.temporal.io';
  const local = /^(localhost|127\.0\.0\.1|\[::1\]):(\d+)$/.exec(address);
  return local ? `http://${local[1]}:${Number(local[2]) + 1_000}` : null;
}

/** The page of one run. */
export function runPage(base: string, namespace: string, workflowId: string, runId: string): string {
  return `${base}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}/${runId}/timeline`;
}
