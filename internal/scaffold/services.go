package scaffold

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// kind is a service that tests are known to talk to.
type kind struct {
	name    string
	images  []string // the last word of the names of its images
	image   string   // where a tree names none
	schemes []string // of addresses
	port    int
	env     []variable // without which it does not start
}

var kinds = []kind{
	{"postgres", []string{"postgres", "postgis", "timescaledb", "pgvector", "postgresql"}, "postgres:17", []string{"postgres", "postgresql"}, 5432,
		[]variable{{"POSTGRES_PASSWORD", "test"}}},
	{"mysql", []string{"mysql", "percona"}, "mysql:8.4", []string{"mysql", "mysql2"}, 3306,
		[]variable{{"MYSQL_ALLOW_EMPTY_PASSWORD", "yes"}}},
	{"mariadb", []string{"mariadb"}, "mariadb:11", []string{"mariadb"}, 3306,
		[]variable{{"MARIADB_ALLOW_EMPTY_ROOT_PASSWORD", "yes"}}},
	{"redis", []string{"redis", "valkey"}, "redis:7", []string{"redis", "rediss"}, 6379, nil},
	{"mongo", []string{"mongo", "mongodb"}, "mongo:7", []string{"mongodb", "mongo"}, 27017, nil},
	{"rabbitmq", []string{"rabbitmq"}, "rabbitmq:4", []string{"amqp", "amqps"}, 5672, nil},
	{"memcached", []string{"memcached"}, "memcached:1.6", []string{"memcached"}, 11211, nil},
	{"elasticsearch", []string{"elasticsearch"}, "elasticsearch:8.19.0", nil, 9200,
		[]variable{{"discovery.type", "single-node"}, {"xpack.security.enabled", "false"}}},
	{"nats", []string{"nats"}, "nats:2", []string{"nats"}, 4222, nil},
}

// kindOf is the kind of an image, nil for one that is not known.
func kindOf(image string) *kind {
	name, _, _ := strings.Cut(path.Base(image), ":")
	name, _, _ = strings.Cut(name, "@")
	for i := range kinds {
		if slices.Contains(kinds[i].images, name) {
			return &kinds[i]
		}
	}
	return nil
}

func kindOfScheme(scheme string) *kind {
	scheme, _, _ = strings.Cut(scheme, "+") // postgresql+psycopg
	for i := range kinds {
		if slices.Contains(kinds[i].schemes, scheme) {
			return &kinds[i]
		}
	}
	return nil
}

// composeFiles are looked at in this order, and only the first one there is.
var composeFiles = []string{"compose.test.yaml", "compose.test.yml", "docker-compose.test.yml", "docker-compose.test.yaml", "compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}

// envFiles name the addresses that tests use.
var envFiles = []string{".env.test", ".env.testing", ".env.ci", ".env.example", ".env.sample", ".env.dist", "env.example"}

// addServices gives each project the services that files of its folder name,
// else those of the top of the tree.
func (s *scan) addServices(projects []*project) {
	found := map[string]*needs{}
	of := func(folder string) *needs {
		if found[folder] == nil {
			found[folder] = s.needs(folder)
		}
		return found[folder]
	}
	for _, p := range projects {
		n := of(p.folder)
		if len(n.services) == 0 && p.folder != "." {
			n = of(".")
		}
		p.services, p.env = n.services, n.env
	}
}

// needs are services, and how steps are told where they are.
type needs struct {
	services []service
	env      []variable
}

func (n *needs) service(name string) bool {
	return slices.ContainsFunc(n.services, func(s service) bool { return s.name == name })
}

func (n *needs) set(name, value string) {
	if !slices.ContainsFunc(n.env, func(v variable) bool { return v.name == name }) {
		n.env = append(n.env, variable{name, value})
	}
}

func (s *scan) needs(folder string) *needs {
	n := &needs{}
	if file := s.has(folder, composeFiles...); file != "" {
		s.compose(n, folder, file)
	}
	for _, file := range envFiles {
		if text := s.read(folder, file); text != "" {
			s.addresses(n, path.Join(folder, file), text)
		}
	}
	return n
}

// hostForm is what a service can be called to be reached.
var hostForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// compose takes services that it knows from a file of Docker Compose, and the
// variables with which others of its services are told where they are.
func (s *scan) compose(n *needs, folder, file string) {
	var doc struct {
		Services yaml.Node
	}
	name := path.Join(folder, file)
	if yaml.Unmarshal([]byte(s.read(folder, file)), &doc) != nil || doc.Services.Kind != yaml.MappingNode {
		s.note("%s is no file of Docker Compose that can be read, so it is passed over", name)
		return
	}
	var others []composeService
	for i := 0; i+1 < len(doc.Services.Content); i += 2 {
		called := doc.Services.Content[i].Value
		var c composeService
		if doc.Services.Content[i+1].Decode(&c) != nil {
			continue
		}
		k := kindOf(c.Image)
		switch {
		case c.Image == "" || k == nil || strings.Contains(c.Image, "$"):
			others = append(others, c)
			continue
		case !hostForm.MatchString(called):
			s.note("the service %s of %s has no name that a host can have, so it is left out", called, name)
			continue
		}
		svc := service{name: called, image: c.Image, port: k.port, env: literal(c.environment())}
		if base := path.Base(c.Image); !strings.Contains(base, ":") || strings.HasSuffix(base, ":latest") {
			if _, tag, _ := strings.Cut(k.image, ":"); path.Base(strings.TrimSuffix(c.Image, ":latest")) == k.name {
				svc.image = k.name + ":" + tag
			}
		}
		if !slices.ContainsFunc(svc.env, func(v variable) bool { return strings.Contains(v.name, "PASSWORD") }) {
			svc.env = append(svc.env, k.env...)
		}
		n.services = append(n.services, svc)
		s.saw(name, "service %s, %s", called, svc.image)
	}
	for _, c := range others {
		for _, v := range literal(c.environment()) {
			if slices.ContainsFunc(n.services, func(s service) bool { return names(v.value, s.name) }) {
				n.set(v.name, v.value)
			}
		}
	}
}

// names reports whether a value has a host in it: alone, or in an address.
func names(value, host string) bool {
	if value == host || strings.HasPrefix(value, host+":") {
		return true
	}
	u, err := url.Parse(value)
	return err == nil && u.Hostname() == host
}

type composeService struct {
	Image       string
	Environment yaml.Node
}

// environment has the variables of a service, written as a map or as a list.
func (c composeService) environment() (vars []variable) {
	nodes := c.Environment.Content
	switch c.Environment.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(nodes); i += 2 {
			if nodes[i+1].Kind == yaml.ScalarNode && nodes[i+1].Tag != "!!null" {
				vars = append(vars, variable{nodes[i].Value, nodes[i+1].Value})
			}
		}
	case yaml.SequenceNode:
		for _, n := range nodes {
			if name, value, ok := strings.Cut(n.Value, "="); ok {
				vars = append(vars, variable{name, value})
			}
		}
	}
	return vars
}

// literal gives variables whose values are known: ${NAME:-value} is its default,
// and what Compose would take from the machine is left out.
func literal(vars []variable) (known []variable) {
	withDefault := regexp.MustCompile(`\$\{\w+:?-([^}$]*)\}`)
	for _, v := range vars {
		v.value = withDefault.ReplaceAllString(v.value, "$1")
		if !strings.Contains(v.value, "$") {
			known = append(known, v)
		}
	}
	return known
}

var assignment = regexp.MustCompile(`(?m)^\s*(?:export\s+)?(\w+)=["']?([^"'\s#]+)["']?`)

// addresses takes from a file with variables those whose value is the address of
// a service on this machine, and has the steps find it under its name.
func (s *scan) addresses(n *needs, file, text string) {
	for _, m := range assignment.FindAllStringSubmatch(text, -1) {
		u, err := url.Parse(m[2])
		if err != nil || u.Host == "" || strings.Contains(m[2], "$") {
			continue
		}
		k := kindOfScheme(u.Scheme)
		local := slices.Contains([]string{"localhost", "127.0.0.1", "::1", "host.docker.internal"}, u.Hostname())
		switch {
		case k == nil:
			continue
		case n.service(u.Hostname()):
			n.set(m[1], m[2])
			continue
		case !local && !hostForm.MatchString(u.Hostname()): // somewhere on the network
			continue
		}
		i := slices.IndexFunc(n.services, func(s service) bool { return s.port == k.port })
		if i < 0 {
			svc := service{name: k.name, image: k.image, port: k.port, env: started(k, u)}
			if !local {
				svc.name = u.Hostname()
			}
			n.services, i = append(n.services, svc), len(n.services)
			s.saw(file, "%s: service %s, %s", m[1], svc.name, svc.image)
		}
		u.Host = n.services[i].name
		if u.Port() != "" || regexp.MustCompile(`:\d+`).MatchString(m[2]) {
			u.Host += fmt.Sprintf(":%d", k.port)
		}
		n.set(m[1], u.String())
	}
}

// started are the variables with which a database lets in whom an address names.
func started(k *kind, u *url.URL) []variable {
	user, database := u.User.Username(), strings.Trim(u.Path, "/")
	password, _ := u.User.Password()
	switch k.name {
	case "postgres":
		vars := []variable{{"POSTGRES_PASSWORD", cmp.Or(password, "test")}}
		if user != "" && user != "postgres" {
			vars = append([]variable{{"POSTGRES_USER", user}}, vars...)
		}
		if database != "" && database != cmp.Or(user, "postgres") {
			vars = append(vars, variable{"POSTGRES_DB", database})
		}
		return vars
	case "mysql", "mariadb":
		prefix := strings.ToUpper(k.name)
		vars := slices.Clone(k.env)
		if user == "root" && password != "" {
			vars = []variable{{prefix + "_ROOT_PASSWORD", password}}
		}
		if database != "" {
			vars = append(vars, variable{prefix + "_DATABASE", database})
		}
		if user != "" && user != "root" {
			vars = append(vars, variable{prefix + "_USER", user}, variable{prefix + "_PASSWORD", password})
		}
		return vars
	}
	return k.env
}

// waitStep waits until services answer: they start beside the steps.
func waitStep(list []service) step {
	w := step{name: "services", image: waitImage}
	for _, s := range list {
		w.commands = append(w.commands, fmt.Sprintf("until nc -z %s %d; do sleep 1; done", s.name, s.port))
	}
	return w
}
