import { createHash } from 'node:crypto';
import type { ClientConfig } from 'pg';
import { refuse } from '../failures.ts';

/** libpq's environment variable for each URL parameter it knows; other tools' parameters (`schema`, …) are left out. */
const libpqVariables: Record<string, string> = {
  host: 'PGHOST',
  hostaddr: 'PGHOSTADDR',
  port: 'PGPORT',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslnegotiation: 'PGSSLNEGOTIATION',
  channel_binding: 'PGCHANNELBINDING',
  gssencmode: 'PGGSSENCMODE',
  connect_timeout: 'PGCONNECT_TIMEOUT',
};

/** Whether a URL names a PostgreSQL database, so that its sessions can be looked at. */
export function isPostgresUrl(url: string): boolean {
  return /^postgres(ql)?:/.test(url);
}

/** @throws `DatabaseUrlInvalid`; the message never repeats the value. */
function parse(url: string): URL {
  if (isPostgresUrl(url) && URL.canParse(url)) return new URL(url);
  throw refuse(
    'DatabaseUrlInvalid',
    'The database URL is not a PostgreSQL URL. It has to look like postgres://user:password@host:5432/database; ' +
      'characters such as @ or / in the password have to be percent-encoded.',
  );
}

/** `host:port`, for messages. */
export function whereIs(url: string): string {
  const { hostname, port, searchParams } = parse(url);
  const host = decodeURIComponent(hostname) || searchParams.get('host') || 'localhost';
  return `${host}:${port || searchParams.get('port') || 5432}`;
}

/** The database's own name, without anything else of the URL. */
export function databaseName(url: string): string {
  const { pathname, username } = parse(url);
  return decodeURIComponent(pathname.slice(1)) || decodeURIComponent(username) || 'postgres';
}

/** The same server and credentials, another database. */
export function withDatabase(url: string, database: string): string {
  const other = parse(url);
  other.pathname = `/${encodeURIComponent(database)}`;
  return other.href;
}

/** Environment from which pg_dump and pg_restore take the connection: nothing of it stands in argv. */
export function libpqEnvironment(url: string, sessionName: string): Record<string, string> {
  const { hostname, port, username, password, searchParams } = parse(url);
  const env: Record<string, string> = {
    PGDATABASE: databaseName(url),
    PGAPPNAME: sessionName,
    PGCONNECT_TIMEOUT: '10',
  };
  if (hostname) env.PGHOST = decodeURIComponent(hostname).replace(/^\[(.+)\]$/, '$1');
  if (port) env.PGPORT = port;
  if (username) env.PGUSER = decodeURIComponent(username);
  if (password) env.PGPASSWORD = decodeURIComponent(password);
  for (const [name, value] of searchParams) {
    const variable = libpqVariables[name];
    if (variable) env[variable] = value;
  }
  return env;
}

/** The driver's configuration. `sslmode` means what it means to libpq: `require` encrypts without checking the name. */
export function clientConfig(url: string, sessionName: string, settings: Record<string, string> = {}): ClientConfig {
  const plain = parse(url);
  const searchPath = plain.searchParams.get('search_path');
  const sslmode = plain.searchParams.get('sslmode');
  for (const name of ['application_name', 'options', 'search_path']) plain.searchParams.delete(name);
  if (sslmode && ['prefer', 'allow', 'disable'].includes(sslmode)) plain.searchParams.delete('sslmode');
  else if (sslmode) plain.searchParams.set('uselibpqcompat', 'true');
  const all = searchPath ? { search_path: searchPath, ...settings } : settings;
  return {
    connectionString: plain.href,
    application_name: sessionName,
    options: Object.entries(all)
      .map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, '\\$&')}`)
      .join(' '),
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  };
}

/** Sessions of one step of one deploy, so that a later attempt can find and end them. 35 characters. */
export function sessionName(deploy: string, key: string): string {
  return `${deploySessions(deploy)}:${shortHash(key)}`;
}

/** What the names of all sessions of one deploy start with. */
export function deploySessions(deploy: string): string {
  return `holdpoint:${shortHash(deploy)}`;
}

/** 12 hex digits. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
