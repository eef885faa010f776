package scaffold

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/google/shlex"
	"gopkg.in/yaml.v3"
)

// kind is a service that tests are known to talk to.
type kind struct {
	name     string
	images   []string // the last word of the names of its images
	image    string   // where a tree names none
	schemes  []string // of addresses
	port     int
	login    login
	password string     // instead of one that may be a secret
	env      []variable // without which it does not start
	instead  string     // a pattern for names of variables that spare env
	command  []string   // without which it does not start
}

// login are the variables of an image that say whom it lets in, and to what. All
// are empty for one that lets in everybody.
type login struct {
	user, password, database string
	root, rootPassword       string // who is there without user, and its variable where it has one of its own
}

const testPassword = "test"

const rootPasswords = "ROOT_PASSWORD|ALLOW_EMPTY|RANDOM_ROOT"

var kinds = []kind{
	{name: "postgres", images: []string{"postgres", "postgis", "timescaledb", "pgvector", "postgresql"}, image: "postgres:17", schemes: []string{"postgres", "postgresql"}, port: 5432,
		login: login{"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "postgres", ""},
		env:   []variable{{"POSTGRES_PASSWORD", testPassword}}, instead: "PASSWORD|AUTH_METHOD"},
	{name: "mysql", images: []string{"mysql", "percona"}, image: "mysql:8.4", schemes: []string{"mysql", "mysql2"}, port: 3306,
		login: login{"MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE", "root", "MYSQL_ROOT_PASSWORD"},
		env:   []variable{{"MYSQL_ALLOW_EMPTY_PASSWORD", "yes"}}, instead: rootPasswords},
	{name: "mariadb", images: []string{"mariadb"}, image: "mariadb:11", schemes: []string{"mariadb"}, port: 3306,
		login: login{"MARIADB_USER", "MARIADB_PASSWORD", "MARIADB_DATABASE", "root", "MARIADB_ROOT_PASSWORD"},
		env:   []variable{{"MARIADB_ALLOW_EMPTY_ROOT_PASSWORD", "yes"}}, instead: rootPasswords},
	{name: "redis", images: []string{"redis", "valkey"}, image: "redis:7", schemes: []string{"redis", "rediss"}, port: 6379},
	{name: "mongo", images: []string{"mongo", "mongodb"}, image: "mongo:7", schemes: []string{"mongodb", "mongo"}, port: 27017,
		login: login{"MONGO_INITDB_ROOT_USERNAME", "MONGO_INITDB_ROOT_PASSWORD", "MONGO_INITDB_DATABASE", "", ""}},
	{name: "rabbitmq", images: []string{"rabbitmq"}, image: "rabbitmq:4", schemes: []string{"amqp", "amqps"}, port: 5672,
		login: login{"RABBITMQ_DEFAULT_USER", "RABBITMQ_DEFAULT_PASS", "RABBITMQ_DEFAULT_VHOST", "guest", ""}},
	{name: "memcached", images: []string{"memcached"}, image: "memcached:1.6", schemes: []string{"memcached"}, port: 11211},
	{name: "elasticsearch", images: []string{"elasticsearch"}, image: "elasticsearch:8.19.0", port: 9200,
		env: []variable{{"discovery.type", "single-node"}, {"xpack.security.enabled", "false"}}},
	{name: "nats", images: []string{"nats"}, image: "nats:2", schemes: []string{"nats"}, port: 4222},
	{name: "minio", images: []string{"minio"}, image: "minio/minio:RELEASE.2025-09-07T16-13-09Z", port: 9000,
		login:    login{"MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD", "", "minioadmin", ""},
		password: "test-password", // it asks for eight characters
		command:  []string{"server", "/data"}},
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

// value is that of a variable of the service, "" without it. The images of
// MariaDB also take the names of MySQL.
func (s *service) value(name string) string {
	names := []string{name}
	if rest, ok := strings.CutPrefix(name, "MARIADB_"); ok {
		names = append(names, "MYSQL_"+rest)
	}
	for _, v := range s.env {
		if slices.Contains(names, v.name) {
			return v.value
		}
	}
	return ""
}

// who is let in as the user that an address names: that one where the service
// has it, otherwise the one that it has.
func (s *service) who(asked string) (user, password string) {
	l := s.kind.login
	user, password = s.value(l.user), s.value(l.password)
	if user == "" || asked == l.root && l.rootPassword != "" {
		user, password = l.root, s.value(cmp.Or(l.rootPassword, l.password))
	}
	if s.kind.name == "rabbitmq" && user == l.root {
		password = cmp.Or(password, user)
	}
	return user, password
}

// address has an address lead to the service, on a port unless that is "", for
// a user that it lets in.
func (s *service) address(u url.URL, port string) string {
	u.Host = s.name
	if port != "" {
		u.Host += ":" + port
	}
	asked := u.User.Username()
	user, password := s.who(asked)
	switch {
	case u.User == nil:
	case user == "":
		u.User = nil
	case password == "":
		u.User = url.User(user)
	default:
		u.User = url.UserPassword(user, password)
	}
	query := u.Query()
	for name := range query { // jdbc:postgresql://db/app?user=app&password=app
		user, password := s.who(query.Get("user"))
		switch strings.ToLower(name) {
		case "user":
			query.Set(name, user)
		case "password":
			query.Set(name, password)
		default:
			if !secretName.MatchString(name) {
				continue
			}
			query.Del(name)
		}
		u.RawQuery = query.Encode()
	}
	return u.String()
}

// named has a value that names the service lead to it: its name, with a port or
// without, or an address. It is false for any other one.
func (s *service) named(value string) (string, bool) {
	if value == s.name {
		return value, true
	}
	if port, ok := strings.CutPrefix(value, s.name+":"); ok {
		_, err := strconv.Atoi(port)
		return value, err == nil
	}
	rest, jdbc := strings.CutPrefix(value, "jdbc:")
	u, err := url.Parse(rest)
	if err != nil || u.Hostname() != s.name {
		return "", false
	}
	text := s.address(*u, u.Port())
	if jdbc {
		text = "jdbc:" + text
	}
	return text, true
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

// service is the one of a name, nil for none.
func (n *needs) service(name string) *service {
	i := slices.IndexFunc(n.services, func(s service) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	return &n.services[i]
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (n *needs) set(name, value string) {
	if variableName.MatchString(name) && !slices.ContainsFunc(n.env, func(v variable) bool { return v.name == name }) {
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
	written := map[string][]variable{} // what services have, as it is written
	for i := 0; i+1 < len(doc.Services.Content); i += 2 {
		called := doc.Services.Content[i].Value
		var c composeService
		if doc.Services.Content[i+1].Decode(&c) != nil {
			continue
		}
		k := kindOf(c.Image)
		switch {
		case k == nil || strings.Contains(c.Image, "$") || strings.ContainsFunc(c.Image, unicode.IsSpace):
			others = append(others, c)
			continue
		case n.service(called) != nil:
			continue
		case !hostForm.MatchString(called) || called == "clone":
			s.note("the service %s of %s has a name that none can have here, so it is left out", called, name)
			continue
		}
		svc := service{name: called, image: c.Image, port: k.port, kind: k}
		usual, _, _ := strings.Cut(k.image, ":")
		if bare := strings.TrimPrefix(strings.TrimSuffix(c.Image, ":latest"), "library/"); bare == usual {
			svc.image = k.image
		}
		written[called] = c.environment()
		svc.env, svc.command = s.environment(&svc, written[called], name), s.command(&svc, &c, name)
		n.services = append(n.services, svc)
		s.saw(name, "service %s, %s", called, svc.image)
	}
	for _, c := range others {
		n.tell(c.environment(), written)
	}
}

type composeService struct {
	Image       string
	Environment yaml.Node
	Command     yaml.Node
}

// environment has the variables of a service as they are written, in a map or
// in a list.
func (c *composeService) environment() []variable { return variablesOf(&c.Environment, 0) }

func variablesOf(n *yaml.Node, depth int) (vars []variable) {
	if depth > 8 { // anchors within anchors
		return nil
	}
	nodes := n.Content
	switch n.Kind {
	case yaml.AliasNode:
		return variablesOf(n.Alias, depth+1)
	case yaml.MappingNode:
		for i := 0; i+1 < len(nodes); i += 2 {
			key, value := nodes[i], nodes[i+1]
			switch {
			case key.Tag == "!!merge":
				vars = append(vars, variablesOf(value, depth+1)...)
			case value.Kind == yaml.AliasNode && value.Alias.Kind == yaml.ScalarNode:
				vars = append(vars, variable{key.Value, value.Alias.Value})
			case value.Kind == yaml.ScalarNode && value.Tag != "!!null":
				vars = append(vars, variable{key.Value, value.Value})
			}
		}
	case yaml.SequenceNode:
		for _, e := range nodes {
			if name, value, ok := strings.Cut(e.Value, "="); ok {
				vars = append(vars, variable{name, value})
			} else if depth > 0 || e.Kind == yaml.AliasNode { // <<: [*a, *b]
				vars = append(vars, variablesOf(e, depth+1)...)
			}
		}
	}
	return vars
}

var withDefault = regexp.MustCompile(`\$\{\w+:?-([^}$]*)\}`)

// literal is a value that is known: ${NAME:-value} is its default. It is false
// for what Compose would take from the machine.
func literal(value string) (string, bool) {
	value = withDefault.ReplaceAllString(value, "$1")
	return value, !strings.Contains(value, "$")
}

var (
	// secretName is what the names of variables with secrets have in them.
	secretName = regexp.MustCompile(`(?i)pass|secret|token|key|credential|cookie`)
	// imageVariable is what variables are called that images read.
	imageVariable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
)

// environment is what a service gets of the variables that Compose gives it, and
// what it does not start without.
func (s *scan) environment(svc *service, vars []variable, file string) (env []variable) {
	near := []string{svc.name}
	for _, v := range vars {
		if value, known := literal(v.value); known && (v.name == svc.kind.login.user || v.name == svc.kind.login.database) {
			near = append(near, value)
		}
	}
	for _, v := range vars {
		value, known := literal(v.value)
		switch {
		case !known || !imageVariable.MatchString(v.name) || strings.HasSuffix(v.name, "_FILE"): // a secret of Compose
			continue
		case strings.Contains(strings.ToUpper(v.name), "PASS"):
			value = s.password(svc.kind, value, file, near...)
		case secretName.MatchString(v.name) || hasPassword(value):
			s.note("%s of %s may be a secret, so it is left out", v.name, file)
			continue
		}
		if !slices.ContainsFunc(env, func(o variable) bool { return o.name == v.name }) {
			env = append(env, variable{v.name, value})
		}
	}
	has := func(pattern string) bool {
		name := regexp.MustCompile(pattern)
		return slices.ContainsFunc(env, func(v variable) bool { return name.MatchString(v.name) })
	}
	for _, v := range svc.kind.env {
		if !has("^"+regexp.QuoteMeta(v.name)+"$") && (svc.kind.instead == "" || !has(svc.kind.instead)) {
			env = append(env, v)
		}
	}
	probe := service{kind: svc.kind, env: env}
	if l := svc.kind.login; l.user != "" && probe.value(l.user) != "" && probe.value(l.password) == "" {
		env = append(env, variable{l.password, svc.kind.testPassword()})
	}
	return env
}

// plainPasswords are what passwords of services for tests are mostly called:
// nobody keeps a door shut with them.
var plainPasswords = []string{"admin", "app", "changeme", "change-me", "ci", "default", "demo", "dev", "development", "dummy", "example",
	"guest", "local", "minio", "minio123", "minioadmin", "mongo", "mysql", "mariadb", "no", "pass", "passwd", "password", "pg", "postgres",
	"rabbitmq", "root", "sample", "secret", "test", "tester", "testing", "true", "user", "yes", "0", "1"}

// password gives a password back that is none in earnest, and another one for any
// other, which may be a secret: of a file that git does not know, or of a
// database elsewhere.
func (s *scan) password(k *kind, value, file string, near ...string) string {
	if value == "" || slices.Contains(plainPasswords, strings.ToLower(value)) || slices.Contains(near, value) {
		return value
	}
	s.note("a password of %s is not taken over: %s has %q instead", file, k.name, k.testPassword())
	return k.testPassword()
}

func (k *kind) testPassword() string { return cmp.Or(k.password, testPassword) }

// hasPassword reports whether a value is an address with a password.
func hasPassword(value string) bool {
	u, err := url.Parse(value)
	if err != nil || u.User == nil {
		return false
	}
	_, has := u.User.Password()
	return has
}

// command is what a service runs, nil for what its image does. What has a
// password, or needs a file of the machine, is left out.
func (s *scan) command(svc *service, c *composeService, file string) (words []string) {
	if svc.kind.command != nil {
		return svc.kind.command
	}
	switch c.Command.Kind {
	case yaml.ScalarNode:
		words, _ = shlex.Split(c.Command.Value)
	case yaml.SequenceNode:
		for _, n := range c.Command.Content {
			words = append(words, n.Value)
		}
	}
	text := strings.Join(words, " ")
	if secretName.MatchString(text) || strings.ContainsAny(text, "$/\n") {
		s.note("the command of the service %s of %s is left out, since it has a password, a file or a variable in it", svc.name, file)
		return nil
	}
	return words
}

// tell gives the steps the variables of a service of Compose that name those that
// are taken, and those that say with which user, password, database or port.
func (n *needs) tell(vars []variable, written map[string][]variable) {
	about, texts := map[string]bool{}, map[string]string{}
	for _, v := range vars {
		value, known := literal(n.expand(v.value, written))
		if !known {
			continue
		}
		for i := range n.services {
			if text, ok := n.services[i].named(value); ok {
				texts[v.name] = text
				about[n.services[i].name] = true
			}
		}
	}
	for _, v := range vars {
		text, ok := texts[v.name]
		for i := 0; i < len(n.services) && !ok; i++ {
			if svc := &n.services[i]; about[svc.name] {
				text, ok = svc.detail(v, written[svc.name])
			}
		}
		if ok {
			n.set(v.name, text)
		}
	}
}

// expand puts what services have in the place of the expressions with which
// Compose gives it to them: postgres://app:${DB_PASSWORD}@db/app.
func (n *needs) expand(value string, written map[string][]variable) string {
	for i := range n.services {
		svc := &n.services[i]
		for _, v := range written[svc.name] {
			if has := svc.value(v.name); has != "" && strings.HasPrefix(v.value, "${") && strings.HasSuffix(v.value, "}") {
				value = strings.ReplaceAll(value, v.value, has)
			}
		}
	}
	return value
}

// detail is what the service has for a variable of another one that is written
// as one of its own: DB_PASSWORD: ${PASSWORD} beside POSTGRES_PASSWORD: ${PASSWORD}.
func (s *service) detail(v variable, written []variable) (string, bool) {
	name := strings.ToUpper(v.name)
	if strings.HasSuffix(name, "PORT") && v.value == strconv.Itoa(s.port) {
		return v.value, true
	}
	l := s.kind.login
	for _, w := range written {
		if w.value != v.value || v.value == "" {
			continue
		}
		own := strings.Replace(w.name, "MYSQL_", strings.ToUpper(s.kind.name)+"_", 1)
		switch {
		case own == l.user && (strings.Contains(name, "USER") || strings.Contains(name, "LOGIN")),
			(own == l.password || own == l.rootPassword) && strings.Contains(name, "PASS"),
			own == l.database && (strings.Contains(name, "DB") || strings.Contains(name, "DATABASE") || strings.HasSuffix(name, "NAME")):
			text := s.value(w.name)
			return text, text != ""
		}
	}
	return "", false
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
		if svc := n.service(u.Hostname()); svc != nil {
			n.set(m[1], svc.address(*u, u.Port()))
			continue
		}
		k := kindOfScheme(u.Scheme)
		local := slices.Contains([]string{"localhost", "127.0.0.1", "::1", "host.docker.internal"}, u.Hostname())
		if k == nil || !local && !hostForm.MatchString(u.Hostname()) { // somewhere on the network
			continue
		}
		i := slices.IndexFunc(n.services, func(s service) bool { return s.port == k.port })
		if i < 0 {
			svc := service{name: k.name, image: k.image, port: k.port, kind: k, env: s.started(k, u, file)}
			if !local {
				svc.name = u.Hostname()
			}
			n.services, i = append(n.services, svc), len(n.services)
			s.saw(file, "%s: service %s, %s", m[1], svc.name, svc.image)
		}
		port := ""
		if u.Port() != "" {
			port = strconv.Itoa(k.port)
		}
		n.set(m[1], n.services[i].address(*u, port))
	}
}

// started are the variables with which a service lets in whom an address names.
func (s *scan) started(k *kind, u *url.URL, file string) []variable {
	user, database, l := u.User.Username(), strings.Trim(u.Path, "/"), k.login
	password, _ := u.User.Password()
	password = s.password(k, password, file, user, database)
	var vars []variable
	add := func(name, value string) {
		if value != "" {
			vars = append(vars, variable{name, value})
		}
	}
	switch k.name {
	case "postgres":
		if user != l.root {
			add(l.user, user)
		}
		add(l.password, cmp.Or(password, testPassword))
		if database != cmp.Or(user, l.root) {
			add(l.database, database)
		}
		return vars
	case "mysql", "mariadb":
		if user == l.root && password != "" {
			add(l.rootPassword, password)
		} else {
			vars = slices.Clone(k.env)
		}
		add(l.database, database)
		if user != l.root && user != "" {
			add(l.user, user)
			add(l.password, cmp.Or(password, testPassword))
		}
		return vars
	case "rabbitmq":
		if user != l.root && user != "" {
			add(l.user, user)
			add(l.password, cmp.Or(password, testPassword))
		}
		add(l.database, database)
		return vars
	}
	return k.env // it lets in everybody
}

// waitLimit is how long a step waits for a service, in seconds: a database that
// sets itself up on a busy machine takes half a minute.
const waitLimit = 120

// waitStep waits until services answer: they start beside the steps.
func waitStep(list []service) step {
	w := step{name: "services", image: waitImage}
	for _, s := range list {
		w.commands = append(w.commands, fmt.Sprintf("timeout %[1]d sh -c 'until nc -z %[2]s %[3]d; do sleep 1; done' || (echo %[2]s does not answer on port %[3]d; exit 1)", waitLimit, s.name, s.port))
	}
	return w
}
