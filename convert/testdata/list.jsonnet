// Two pipelines that share a function from another file.
local step = import 'lib/step.libsonnet';

[
  {
    kind: 'pipeline',
    type: 'docker',
    name: name,
    steps: [step('test', ['go test ./...', 'echo "${DRONE_BRANCH}" \\ done'])],
    trigger: { event: [std.extVar('build.event')] },
  }
  for name in ['one', 'two']
]
