// Every fact a program can ask for, and one parameter.
local names = ['build.' + n for n in [
  'event', 'action', 'environment', 'link', 'branch', 'source', 'before', 'after', 'target', 'ref', 'commit',
  'title', 'message', 'source_repo', 'author_login', 'author_name', 'author_email', 'author_avatar', 'sender', 'param.color',
]] + ['repo.' + n for n in [
  'uid', 'name', 'namespace', 'slug', 'git_http_url', 'git_ssh_url', 'link', 'branch', 'config', 'private',
  'visibility', 'active', 'trusted', 'protected', 'ignore_forks', 'ignore_pull_requests',
]];

{ kind: 'pipeline', type: 'docker', name: 'facts', environment: { [n]: std.extVar(n) for n in names if n != 'x' } }
