/** What the worker registers: workflow types by their names in the Temporal UI. */
export { deploy } from './deploy.ts';
export { look } from './look.ts';
export { plan } from './plan.ts';
