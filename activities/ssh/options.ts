import { z } from 'zod';

const text = z.string().min(1);
const file = text.refine((path) => path.startsWith('/') || path.startsWith('~/'), {
  error: 'an absolute path, or one that begins with ~/',
});
const jump = text.regex(/^([^@\s,-][^@\s,]*@)?[^@\s,-][^@\s,]*$/, {
  error: 'a machine such as bastion.example.com or deploy@bastion:22',
});

/**
 * The environment's `host: { ssh: { … } }`. What is silent here is as the worker's own `ssh` command has it: its
 * ~/.ssh/config, then OpenSSH's defaults.
 */
export const sshOptions = z
  .strictObject({
    host: text
      .regex(/^[^\s@-][^\s@]*$/, { error: 'a name, an address, or a Host of ~/.ssh/config; the user goes into `user`' })
      .optional()
      .meta({
        description: 'Name or address of the machine, or its Host in ~/.ssh/config. A fleet names its machines itself.',
        examples: ['web1.example.com', '10.0.0.11'],
      }),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .meta({ description: 'Port of its SSH server. Default: 22.', examples: [2222] }),
    user: text
      .regex(/^[^\s@:-][^\s@:]*$/, { error: 'the name of a user' })
      .optional()
      .meta({ description: "Who to log in as. Default: the worker's own user.", examples: ['deploy'] }),
    key: file.optional().meta({
      description: "Private key, a file of the worker's machine. Absent: the SSH agent's keys, then those in ~/.ssh.",
      examples: ['~/.ssh/deploy_ed25519'],
    }),
    passphrase: text.optional().meta({
      description: "Name of the secret that opens `key`. Secrets come from the environment's `secrets`.",
      examples: ['DEPLOY_KEY_PASSPHRASE'],
    }),
    agent: file
      .optional()
      .meta({ description: 'Socket of an SSH agent. Default: SSH_AUTH_SOCK.', examples: ['/run/user/1000/agent'] }),
    jump: z
      .union([jump, z.array(jump).min(1)])
      .optional()
      .meta({
        description: 'The machine, or the machines in their order, to go through: `user@bastion:22`.',
        examples: ['deploy@bastion.example.com'],
      }),
    hostKeys: z
      .enum(['known', 'accept-new'])
      .default('known')
      .meta({
        description:
          'Which machines to trust: only those in the known hosts, or also ones never seen before, whose key is then ' +
          'kept. A key that has changed is refused either way.',
        examples: ['known'],
      }),
    knownHosts: file
      .optional()
      .meta({ description: 'Known hosts. Default: ~/.ssh/known_hosts.', examples: ['/etc/holdpoint/known_hosts'] }),
    config: file.optional().meta({
      description: 'Configuration of OpenSSH. Default: ~/.ssh/config.',
      examples: ['/etc/holdpoint/ssh_config'],
    }),
  })
  .meta({ examples: [{ host: 'web1.example.com', user: 'deploy' }] });
export type SshOptions = z.output<typeof sshOptions>;
