/**
 * By what the proxy knows a user, so that one user stays with one version while shares are between 0 and 100 %: a cookie
 * that the service sets, a cookie that the proxy sets by itself, a request header, or the client's address. A request
 * without the service's cookie or the header is drawn by itself.
 */
export type Sticky = { cookie: string } | { ownCookie: string } | { header: string } | 'address';

/** How long a cookie that the proxy sets is kept, seconds: longer than any rollout. */
export const ownCookieSeconds = 30 * 24 * 60 * 60;
