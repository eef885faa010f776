package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/drone-laptop/drone/manifest"
)

// serviceRules are about reaching services.
func serviceRules() []Rule {
	return []Rule{{
		ID: "localhost", Group: groupNames, Severity: manifest.Warning,
		Summary: "a step looks for a service on localhost",
		Explanation: "Every step and service has a network address of its own: on `localhost` of a step there is only what that step " +
			"started itself. A service is reached under its name. It is only reported where the port, the program or the variable " +
			"is that of a service of the pipeline.",
		Bad: `kind: pipeline
name: default
services:
- {name: db, image: "postgres:18"}
steps:
- name: test
  image: postgres:18
  commands:
  - psql -h localhost -U postgres -c 'select 1'
`,
		Good: `kind: pipeline
name: default
services:
- {name: db, image: "postgres:18"}
steps:
- name: test
  image: postgres:18
  commands:
  - psql -h db -U postgres -c 'select 1'
`,
		Reference: "§7.3",
		check:     checkLocalhost,
	}}
}

// software is a program that is often run as a service, and how clients give
// themselves away.
type software struct {
	images    []string // last parts of names of images
	ports     []string
	clients   []string // programs
	variables []string // that hold its host
	servers   []string // programs, by which a step starts one of its own
}

var knownSoftware = []software{
	{[]string{"postgres", "postgis", "timescaledb", "pgvector"}, []string{"5432"}, []string{"psql", "pg_isready", "createdb", "dropdb", "pg_dump", "pg_restore"},
		[]string{"PGHOST", "POSTGRES_HOST", "DB_HOST", "DATABASE_HOST", "TEST_DB_HOST"}, []string{"pg_ctl", "pg_ctlcluster", "initdb"}},
	{[]string{"mysql", "mariadb", "percona", "mysql-server"}, []string{"3306"}, []string{"mysql", "mysqladmin", "mariadb", "mariadb-admin", "mysqldump"},
		[]string{"MYSQL_HOST", "DB_HOST", "DATABASE_HOST", "TEST_DB_HOST"}, []string{"mysqld", "mysqld_safe", "mariadbd"}},
	{[]string{"redis", "valkey", "keydb", "redis-stack"}, []string{"6379"}, []string{"redis-cli", "valkey-cli"}, []string{"REDIS_HOST"}, []string{"redis-server", "valkey-server"}},
	{[]string{"mongo", "mongodb"}, []string{"27017"}, []string{"mongo", "mongosh"}, []string{"MONGO_HOST", "MONGODB_HOST"}, []string{"mongod"}},
	{[]string{"rabbitmq"}, []string{"5672", "15672"}, nil, []string{"RABBITMQ_HOST", "AMQP_HOST"}, []string{"rabbitmq-server"}},
	{[]string{"memcached"}, []string{"11211"}, nil, []string{"MEMCACHED_HOST", "MEMCACHE_HOST"}, []string{"memcached"}},
	{[]string{"elasticsearch", "opensearch"}, []string{"9200"}, nil, []string{"ELASTICSEARCH_HOST", "ELASTIC_HOST"}, []string{"elasticsearch"}},
	{[]string{"minio"}, []string{"9000"}, nil, nil, []string{"minio server"}},
	{[]string{"kafka", "cp-kafka", "redpanda"}, []string{"9092"}, nil, []string{"KAFKA_HOST"}, []string{"kafka-server-start"}},
	{[]string{"nats"}, []string{"4222"}, nil, []string{"NATS_HOST"}, []string{"nats-server"}},
	{[]string{"cassandra", "scylla"}, []string{"9042"}, []string{"cqlsh"}, []string{"CASSANDRA_HOST"}, nil},
	{[]string{"docker", "dind"}, []string{"2375", "2376"}, nil, nil, []string{"dockerd"}},
	{[]string{"selenium", "standalone-chrome", "standalone-firefox", "hub"}, []string{"4444"}, nil, []string{"SELENIUM_HOST"}, []string{"selenium-standalone"}},
	{[]string{"vault"}, []string{"8200"}, nil, nil, []string{"vault server"}},
	{[]string{"etcd"}, []string{"2379"}, nil, nil, []string{"etcd "}},
	{[]string{"influxdb"}, []string{"8086"}, nil, []string{"INFLUX_HOST", "INFLUXDB_HOST"}, []string{"influxd"}},
	{[]string{"clickhouse-server", "clickhouse"}, []string{"8123"}, []string{"clickhouse-client"}, []string{"CLICKHOUSE_HOST"}, nil},
}

// softwareOf is what an image holds, nil when that is not known.
func softwareOf(image string) *software {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return nil
	}
	path := reference.Path(named)
	last := path[strings.LastIndexByte(path, '/')+1:]
	for i := range knownSoftware {
		if slices.Contains(knownSoftware[i].images, last) {
			return &knownSoftware[i]
		}
	}
	return nil
}

// served is a service of known software.
type served struct {
	name string
	*software
}

var (
	here     = regexp.MustCompile(`\b(localhost|127\.0\.0\.1)\b(?::(\d+))?`)
	ownStart = regexp.MustCompile(`(^|[^&])&\s*$|\bdocker(-compose| compose)? (run|up)\b|\bnohup\b`)
)

func checkLocalhost(p *pass) {
	for pl := range p.pipelines() {
		if !pl.InContainers() {
			continue
		}
		var services []served
		for e := range elements(pl) {
			if e.NetworkMode.IsSet() || !e.service && !e.Detach.Value {
				continue
			}
			if s := softwareOf(e.Image.Value); s != nil {
				services = append(services, served{e.Name.Value, s})
			}
		}
		if len(services) == 0 {
			continue
		}
		for _, v := range pl.Environment {
			p.localVariable(ofPipeline(pl), v, services)
		}
		for e := range elements(pl) {
			if !e.service && !e.Detach.Value && !e.NetworkMode.IsSet() {
				p.checkLocal(e, services)
			}
		}
	}
}

func (p *pass) checkLocal(e element, services []served) {
	for _, c := range e.Commands {
		if ownStart.MatchString(c.Value) {
			return // it may well have started what it looks for
		}
		services = slices.DeleteFunc(slices.Clone(services), func(s served) bool {
			return slices.ContainsFunc(s.servers, func(program string) bool { return strings.Contains(c.Value, program) })
		})
	}
	for _, c := range e.Commands {
		text := p.text(c.Span)
		for _, at := range here.FindAllStringSubmatchIndex(text, -1) {
			if s := addressed(lineAt(text, at[0]), text, at, services); s != nil {
				p.reportLocal(e, p.part(c.Span, at[2], at[3]-at[2]), s)
				break
			}
		}
	}
	for _, v := range e.Environment {
		p.localVariable(e, v, services)
	}
}

// addressed is the service that a mention of localhost in a line is meant for.
func addressed(line, text string, at []int, services []served) *served {
	port := ""
	if at[4] >= 0 {
		port = text[at[4]:at[5]]
	}
	for i, s := range services {
		if slices.Contains(s.ports, port) {
			return &services[i]
		}
		if port != "" {
			continue
		}
		for _, word := range slices.Concat(s.ports, s.clients) {
			if containsWord(line, word) {
				return &services[i]
			}
		}
	}
	return nil
}

func (p *pass) localVariable(e element, v manifest.EnvVar, services []served) {
	if v.FromSecret.IsSet() {
		return
	}
	text := p.text(v.Value.Span)
	for _, at := range here.FindAllStringSubmatchIndex(text, -1) {
		for i, s := range services {
			port := at[4] >= 0 && slices.Contains(s.ports, text[at[4]:at[5]])
			whole := strings.Trim(text, `"'`) == text[at[2]:at[3]] && slices.Contains(s.variables, strings.ToUpper(v.Name.Value))
			if port || whole {
				p.reportLocal(e, p.part(v.Value.Span, at[2], at[3]-at[2]), &services[i])
				return
			}
		}
	}
}

func (p *pass) reportLocal(e element, span manifest.Span, s *served) {
	where := fmt.Sprintf("step %q", e.Name.Value)
	if e.Name.Value == "" {
		where = "the environment of the pipeline"
	}
	p.report(e, span, fmt.Sprintf("%s looks for service %q on its own localhost, where it is not", where, s.name),
		fmt.Sprintf("write `%s`: a service is reached under its name", s.name))
}

// lineAt is the line of a text that holds the byte at an offset.
func lineAt(text string, at int) string {
	start := strings.LastIndexByte(text[:at], '\n') + 1
	if end := strings.IndexByte(text[at:], '\n'); end >= 0 {
		return text[start : at+end]
	}
	return text[start:]
}

// containsWord reports whether a word stands in a line by itself.
func containsWord(line, word string) bool {
	for rest, found := line, true; found; {
		var before string
		before, rest, found = strings.Cut(rest, word)
		if found && !endsInWord(before) && !startsInWord(rest) {
			return true
		}
	}
	return false
}

func endsInWord(s string) bool   { return s != "" && wordByte(s[len(s)-1]) }
func startsInWord(s string) bool { return s != "" && wordByte(s[0]) }

func wordByte(b byte) bool {
	return b == '_' || b == '-' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}
