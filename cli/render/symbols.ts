import type { Outcome, StepState } from '../../workflows/runbook/status.ts';
import type { Colour } from './text.ts';

export const stepSymbols: Record<StepState, { symbol: string; colour: Colour }> = {
  pending: { symbol: '·', colour: 'gray' },
  running: { symbol: '▸', colour: 'cyan' },
  waiting: { symbol: '‖', colour: 'yellow' },
  done: { symbol: '✓', colour: 'green' },
  failed: { symbol: '✗', colour: 'red' },
  skipped: { symbol: '↷', colour: 'gray' },
  undoing: { symbol: '↩', colour: 'yellow' },
  undone: { symbol: '↩', colour: 'magenta' },
  'undo failed': { symbol: '✗', colour: 'red' },
  left: { symbol: '–', colour: 'gray' },
};

export const outcomeSymbols: Record<Outcome, { symbol: string; colour: Colour }> = {
  succeeded: { symbol: '✓', colour: 'green' },
  'rolled back': { symbol: '↩', colour: 'magenta' },
  aborted: { symbol: '↩', colour: 'yellow' },
  superseded: { symbol: '↷', colour: 'gray' },
  failed: { symbol: '✗', colour: 'red' },
  'needs attention': { symbol: '!', colour: 'red' },
};

export const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
