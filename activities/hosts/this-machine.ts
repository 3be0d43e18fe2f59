import type { HostPort } from '../../workflows/ports.ts';

/** Whether it is the worker's own machine: its environment, its processes and its clock are this process's too. */
export const isThisMachine = ({ name }: HostPort): boolean => name === 'this machine';
