/** What fits into a Temporal payload, and into a plan: plain JSON, nothing else. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
