/**
 * The runbook: how one service is deployed. The only file of this folder that runs zod; everything else
 * imports its types. Descriptions end up in the published JSON Schema, so an editor shows them.
 */
import { z } from 'zod';
import { isDuration } from './duration.ts';

const duration = z
  .string()
  .refine(isDuration, { error: 'a duration', params: { example: '30s' } })
  .meta({ description: 'A duration: 500ms, 30s, 5m, 4h, 2d', pattern: '^\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)$' });

const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, {
  error: 'lower-case letters, digits and dashes, starting with a letter, 63 at most',
});

const secret = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
  error: 'the name of a secret, such as DATABASE_URL (never its value)',
});

const command = z.array(z.string().min(1)).min(1).meta({
  description: 'argv, one word an item; no shell. {version}, {port}, {folder} and {target} are filled in.',
});

const share = z
  .string()
  .regex(/^<\s*\d+(\.\d+)?\s*%$/, { error: 'a limit such as < 1%' })
  .meta({ description: 'Largest allowed share, such as < 1%' });

const latency = z
  .string()
  .regex(/^<\s*\d+(\.\d+)?\s*(ms|s)$/, { error: 'a limit such as < 300ms' })
  .meta({ description: 'Largest allowed time, such as < 300ms' });

const percent = z
  .string()
  .regex(/^\d+(\.\d+)?\s*%$/, { error: 'a percentage such as 10%' })
  .meta({ description: 'A percentage, such as 10%' });

/** Of traffic: the proxies put users into a hundred buckets. */
const shareOfTraffic = z
  .string()
  .regex(/^([1-9]\d?|100)\s*%$/, { error: 'a whole percentage from 1% to 100%' })
  .meta({ description: 'Share of traffic in whole percents, such as 10%' });

const path = z.string().regex(/^(GET )?\/\S*$/, { error: 'a path such as GET /healthz' });

const holdShape = {
  ask: z.string().min(1).max(160).meta({ description: 'The question that the person answers.' }),
  by: z
    .union([name, z.array(name).min(1)])
    .optional()
    .meta({ description: 'Group (or groups) of the environment whose members may answer. Absent: anyone.' }),
  expires: duration.optional().meta({ description: 'How long the question stays open. Absent: for ever.' }),
  otherwise: z
    .enum(['rollback', 'proceed'])
    .default('rollback')
    .meta({ description: 'What happens when it expires unanswered.' }),
};
const hold = z.strictObject(holdShape).meta({ description: 'A hold point: a person decides before work goes on.' });

const url = z.string().refine((text) => !/^\w+:\/\/[^/]*@/.test(text), {
  error: 'a path or URL without a password in it: the plan stands in the history',
});

const requestShape = {
  get: url.optional(),
  post: url.optional(),
  put: url.optional(),
  delete: url.optional(),
  headers: z.record(z.string(), z.string()).optional(),
  json: z.json().optional(),
  expect: z
    .union([
      z.int().min(100).max(599),
      z.strictObject({ status: z.int().min(100).max(599).optional(), body: z.string().optional() }),
    ])
    .optional()
    .meta({ description: 'The expected status, or { status, body } where body is text the answer contains.' }),
  timeout: duration.optional(),
};
const oneOf = (keys: readonly string[], what: string) => ({
  check: (value: Record<string, unknown>) => keys.filter((key) => value[key] !== undefined).length === 1,
  error: `exactly one of ${keys.join(', ')} (${what})`,
});
const methods = oneOf(['get', 'post', 'put', 'delete'], 'the request to make');
const request = z.strictObject(requestShape).refine(methods.check, {
  error: methods.error,
  params: { example: '{ post: /orders, json: { sku: test }, expect: 201 }' },
});

const lineKeys = ['run', 'http', 'hold', 'wait'] as const;
const lineShape = {
  run: command.optional().meta({ description: 'A command, run once.' }),
  undo: command.optional().meta({ description: 'The command that takes `run` back.' }),
  http: request.optional().meta({ description: 'A request; the line fails unless the answer is the expected one.' }),
  hold: hold.optional(),
  wait: duration.optional(),
  each: z
    .literal('machine')
    .optional()
    .meta({ description: '`run`: on each machine of a fleet. Absent: once, on the first.' }),
  name: name.optional().meta({ description: "This line's name, for status, skip and retry." }),
  deadline: duration.optional(),
  skip: z.literal('allowed').optional().meta({ description: 'A person may skip this line, with a reason.' }),
};
const oneLine = oneOf(lineKeys, 'what the line does');
const line = z
  .strictObject(lineShape)
  .refine(oneLine.check, { error: oneLine.error, params: { example: '{ run: [bin/warm-cache] }' } })
  .refine((value) => value.undo === undefined || value.run !== undefined, { error: '`undo` belongs to a `run`' })
  .refine((value) => value.each === undefined || value.run !== undefined, { error: '`each` belongs to a `run`' })
  .refine((value) => value.skip === undefined || value.hold === undefined, {
    error: 'a hold cannot be skipped: somebody answers it, or it expires',
  });

const around = {
  before: z.array(line).optional().meta({ description: 'Lines of your own, before what this heading does.' }),
  after: z.array(line).optional().meta({ description: 'Lines of your own, after what this heading does.' }),
};

const backupKeys = ['postgres', ...lineKeys] as const;
const oneBackup = oneOf(backupKeys, 'what is backed up, or a line of your own');
const backupLine = z
  .strictObject({
    ...lineShape,
    postgres: secret
      .optional()
      .meta({ description: 'Secret with the URL of the database to dump, restore and compare.' }),
    scratch: secret
      .optional()
      .meta({ description: 'Secret with the URL of the server to restore into; absent: the same server.' }),
  })
  .refine(oneBackup.check, { error: oneBackup.error, params: { example: '{ postgres: DATABASE_URL }' } });

const build = z
  .strictObject({
    context: z
      .string()
      .default('.')
      .meta({ description: 'Folder that is sent to the engine, relative to the runbook.' }),
    dockerfile: z.string().default('Dockerfile').meta({ description: 'Relative to the context.' }),
    args: z.record(z.string(), z.string()).default({}).meta({ description: 'Build arguments; never a secret.' }),
    test: command
      .optional()
      .meta({ description: 'Run before the build, in the context; nothing is built when it fails.' }),
    push: z.boolean().default(true).meta({ description: 'false: the image stays on the engine that built it.' }),
  })
  .meta({ description: 'Build the image as part of the deploy.' });

/** Of releases that are unpacked on each machine. */
const onMachines = {
  build: z.array(command).min(1).optional().meta({
    description:
      'Commands that make it ready, in its folder on each machine, once: [[npm, ci]]. {version}, {folder} and {shared} are filled in.',
  }),
  built: z.literal('once').optional().meta({
    description: 'On the first machine of a fleet, and copied from there to the others. Absent: on each machine.',
  }),
  shared: z
    .array(
      z.string().regex(/^(?!\/)(?!.*(^|\/)\.{1,2}(\/|$))(?!.*\/\/)[^\0\n]+$/, {
        error: 'a path inside of the release, such as var/uploads',
      }),
    )
    .min(1)
    .optional()
    .meta({ description: "Paths that all releases have in common: links to shared/<path> of the target's folder." }),
};

const artifact = z
  .union(
    [
      z.strictObject({
        folder: z
          .string()
          .includes('{version}', { error: 'a folder with {version} in it, such as releases/{version}' })
          .meta({ description: 'A folder for each version, relative to the runbook.' }),
      }),
      z.strictObject({
        image: z
          .string()
          .regex(/^[a-z0-9.:_/{}-]+$/, { error: 'a repository without tag, such as registry.example.com/shop' })
          .meta({ description: 'Repository; the version is its tag. {target} is filled in.' }),
        credentials: secret.optional().meta({ description: 'Secret with `user:password` of the registry.' }),
        build: build.optional(),
      }),
      z.strictObject({
        git: z
          .string()
          .min(1)
          .meta({ description: 'A repository (folder or URL); the version is a tag, branch or commit.' }),
        ...onMachines,
      }),
      z
        .strictObject({
          archive: url
            .refine((text) => text.includes('{version}'), {
              error: 'a file or URL with {version} in it, such as dist/shop-{version}.tar.gz',
            })
            .meta({
              description: 'A tar archive for each version: a file relative to the runbook, or an http(s) URL.',
            }),
          sha256: url
            .refine((text) => text.includes('{version}') || /^[0-9a-f]{64}$/.test(text), {
              error: '64 hex digits, or a file or URL with {version} in it, such as dist/shop-{version}.tar.gz.sha256',
            })
            .optional()
            .meta({
              description:
                'Its checksum, or the file or URL that holds it. Absent: <archive>.sha256 where there is such a file; of a URL required.',
            }),
          ...onMachines,
        })
        .refine((value) => value.sha256 !== undefined || !/^https?:/.test(value.archive), {
          error: 'an archive from a URL needs `sha256`',
          params: { example: 'sha256: https://example.com/shop-{version}.tar.gz.sha256' },
        }),
    ],
    {
      error:
        '{ folder: releases/{version} }, { image: registry.example.com/shop }, { git: . } or ' +
        '{ archive: dist/shop-{version}.tar.gz }',
    },
  )
  .meta({ description: 'Where a release comes from.' });

const analysisShape = {
  errors: share.optional().meta({ description: 'Largest share of answers with status 5xx, such as < 1%' }),
  p50: latency.optional(),
  p95: latency.optional(),
  p99: latency.optional(),
  compare: z
    .strictObject({
      errors: percent.optional(),
      p50: percent.optional(),
      p95: percent.optional(),
      p99: percent.optional(),
    })
    .optional()
    .meta({
      description:
        'How much worse than the stable version, over the same minutes: errors in percentage points, times relative.',
    }),
  queries: z
    .array(
      z
        .strictObject({
          name,
          query: z.string().min(1).meta({ description: 'PromQL; {version}, {slot} and {window} are filled in.' }),
          limit: z
            .string()
            .regex(/^[<>]\s*-?\d+(\.\d+)?$/, { error: 'a limit such as < 1000 or > 0.5' })
            .optional(),
          compare: percent.optional().meta({ description: 'How much larger than for the stable version, relative.' }),
        })
        .refine((value) => value.limit !== undefined || value.compare !== undefined, {
          error: 'a `limit`, or `compare` with the stable version',
        }),
    )
    .default([]),
  logs: z
    .strictObject({ new: z.int().min(0) })
    .optional()
    .meta({ description: 'How often an error line that the stable version does not have may appear.' }),
  samples: z.int().min(1).default(50).meta({ description: 'Fewer requests are too little data for a verdict.' }),
  inconclusive: z
    .enum(['extend', 'hold', 'rollback', 'proceed'])
    .default('hold')
    .meta({ description: 'What happens on too little data.' }),
};

const smoke = z.union([path, request], { error: 'GET /path, or { post: /orders, json: {…}, expect: 201 }' });

const strategy = z.enum(['blue-green', 'recreate', 'rolling', 'canary', 'reload']);

const ready = z
  .union([path, z.literal('healthcheck')])
  .meta({ description: "A path that has to answer below 400, or `healthcheck`: the image's own." });

const batch = z.union([z.int().min(1), percent]);

/** The whole document, checked: `runbookSchema.parse(yaml)`. */
export const runbookSchema = z
  .strictObject({
    service: name.meta({ description: 'The service this runbook deploys.' }),
    prepare: z
      .strictObject({
        artifact,
        env: z
          .strictObject({ example: z.string().default('.env.example'), file: z.string().default('.env') })
          .optional()
          .meta({
            description: 'Every name in `example` must be in `file`: what is missing is said before anything starts.',
          }),
        secrets: z.array(secret).default([]).meta({
          description:
            'Secrets that must resolve before anything starts. The service gets them as environment variables.',
        }),
        ...around,
      })
      .meta({ description: 'What must be there before anything is touched.' }),
    backup: z.array(backupLine).default([]),
    migrate: z
      .strictObject({
        tool: z
          .enum(['alembic', 'dbmate'])
          .optional()
          .meta({ description: 'The migration tool, run once from the new release.' }),
        command: z
          .strictObject({ current: command, pending: command, up: command, down: command.optional() })
          .optional()
          .meta({
            description:
              'Your own tool: `current` prints every revision that is applied, oldest first, `pending` every one that is not; one a line.',
          }),
        database: secret.default('DATABASE_URL'),
        hold: hold
          .optional()
          .meta({ description: 'Asked with the pending migrations in sight, before they are applied.' }),
        deadline: duration.default('15m'),
        ...around,
      })
      .refine((value) => !(value.tool && value.command), { error: '`tool` or `command`, not both' })
      .optional(),
    rollout: z.strictObject({
      on: z
        .union([
          name,
          z
            .array(
              z.union([name, z.strictObject({ target: name, strategy: strategy.optional(), ready: ready.optional() })]),
            )
            .min(1),
        ])
        .default('web')
        .meta({ description: 'Target in the environment, or several in the order in which they are renewed.' }),
      start: command.optional().meta({
        description: 'argv that starts one instance; {port} is its port. An image may leave it to its own command.',
      }),
      env: z.record(z.string(), z.string()).default({}),
      ready: ready.default('GET /'),
      strategy: strategy.default('blue-green'),
      steps: z
        .array(
          z.union([
            shareOfTraffic,
            z.strictObject({ share: shareOfTraffic, for: duration.optional(), hold: hold.optional() }),
          ]),
        )
        .min(1)
        .default(['10%', '50%', '100%'])
        .meta({ description: '`canary`: the shares, growing; each bakes `for` or `bake`, then may ask a person.' }),
      bake: duration.default('1m').meta({ description: '`canary`: how long each step is watched before the next.' }),
      analysis: z.strictObject(analysisShape).optional().meta({
        description: '`canary`, `rolling`: what is judged while a step bakes, the new version beside the stable one.',
      }),
      batch: z
        .union([batch, z.array(batch).min(1)])
        .default(1)
        .meta({ description: '`rolling`: how many at once, or sizes in turn such as [1, 25%]; the last one repeats.' }),
      unavailable: z
        .union([z.int().min(0), percent])
        .default(0)
        .meta({
          description:
            'How many machines of a fleet the deploy may go on without, as a count or a share; each is left out of the ' +
            'traffic, and `holdpoint reconcile` brings it back later. One more, and all go back.',
        }),
      prober: z
        .strictObject({ path: path.default('GET /'), every: duration.default('100ms') })
        .optional()
        .meta({
          description: 'Harmless requests through the front door during the switch; the report says what they met.',
        }),
      keep: z.int().min(1).default(3).meta({ description: 'How many releases are kept for going back.' }),
      old: z.enum(['stop', 'keep']).default('stop').meta({
        description: 'The old version after the confirmation: stopped, or kept running for an instant way back.',
      }),
      deadline: duration.default('60s').meta({ description: 'How long an instance may take to get ready.' }),
      drain: duration.default('30s').meta({ description: 'How long requests in flight may take to end.' }),
      grace: duration.default('10s').meta({ description: 'How long an instance may take to end after SIGTERM.' }),
      ...around,
    }),
    verify: z
      .strictObject({
        smoke: z.array(smoke).default([]).meta({
          description: 'Real requests: to the new version before it gets traffic, then through the front door.',
        }),
        watch: z
          .strictObject({ for: duration, ...analysisShape })
          .optional()
          .meta({ description: "Watch the proxy's own measured traffic for a while." }),
        hold: hold.optional().meta({ description: 'The confirmation, before the old version is stopped.' }),
        ...around,
      })
      .prefault({}),
    rollback: z
      .strictObject({
        automatic: z
          .boolean()
          .default(true)
          .meta({ description: 'false: a failed step waits for a person (retry, skip, rollback) first.' }),
        down: z
          .literal('migrations')
          .optional()
          .meta({ description: 'Take migrations back too, as far as the plan says is safe.' }),
        deadline: duration.default('10m').meta({ description: 'How long each step back is tried.' }),
      })
      .prefault({}),
  })
  .meta({ title: 'Holdpoint runbook' });

/** A checked runbook with its defaults filled in. */
export type Runbook = z.output<typeof runbookSchema>;
export type Line = z.output<typeof line>;
export type Hold = z.output<typeof hold>;
export type RequestLine = z.output<typeof request>;
export type Artifact = z.output<typeof artifact>;
export type ImageArtifact = Extract<Artifact, { image: string }>;
export type GitArtifact = Extract<Artifact, { git: string }>;
export type ArchiveArtifact = Extract<Artifact, { archive: string }>;
export type Build = z.output<typeof build>;
export type Strategy = z.output<typeof strategy>;
