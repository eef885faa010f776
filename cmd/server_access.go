package cmd

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/drone-laptop/drone/internal/account"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/keystore"
	"github.com/drone-laptop/drone/report"
)

// access is a server and a token for it, and where each is from, as it is called
// in messages.
type access struct {
	server, serverFrom string
	token, tokenFrom   string
	profile            account.Profile // with the zero value where no login is used
	// strayFrom is the server that the environment has the token for, where the token
	// goes to another one.
	strayFrom string
}

// Where they are from.
const (
	fromServerFlag = "--server"
	fromTokenFlag  = "--token"
	dotEnvFile     = ".env"
)

// explain says what is asked, without any part of the token.
func (a access) explain() string {
	return fmt.Sprintf("asking the server %s (from %s) with the token from %s", report.Visible(a.server), a.serverFrom, a.tokenFrom)
}

// warnOfStray tells that a token goes to another server than its own, once the
// address is known to be one: what is none may have a password in it.
func (a access) warnOfStray(s Streams) {
	if a.strayFrom != "" {
		own := "another server"
		if u, err := url.Parse(a.strayFrom); err == nil && u.Host != "" {
			own = u.Host
		}
		s.warn(fmt.Sprintf("the token of %s, which is for %s, goes to %s", tokenVar, report.Visible(own), report.Visible(a.server)))
	}
}

// access finds the server and the token. In the order of places: flags, the
// environment, a file .env, and the logins that are remembered.
//
// The file comes with a repository, maybe of somebody else. So a server that it
// names gets only the token that it has beside it, or that of the user's own
// login to this server; and its token goes to no other server than its own.
func (f *serverFlags) access(s Streams) (access, error) {
	if f.profile != "" {
		return f.named(s, f.profile, "--profile")
	}
	var a access
	file := dotEnv(s)
	envServer, hasServer := s.LookupEnv(serverVar)
	envToken, hasToken := s.LookupEnv(tokenVar)
	switch {
	case f.server != "":
		a.server, a.serverFrom = f.server, fromServerFlag
	case envServer != "":
		a.server, a.serverFrom = envServer, serverVar
	case s.getenv(profileVar) != "":
		return f.named(s, s.getenv(profileVar), profileVar)
	}
	own := f.server == "" || envServer == "" || account.Normal(f.server) == account.Normal(envServer)
	switch {
	case f.token != "":
		a.token, a.tokenFrom = f.token, fromTokenFlag
	case envToken != "" && own:
		a.token, a.tokenFrom = envToken, tokenVar
	}
	if a.server != "" && a.token != "" {
		return a, nil
	}
	if a.server == "" && file[serverVar] != "" && !hasServer {
		return f.fromFile(s, file, a)
	}
	if named := file[serverVar]; a.token == "" && a.server != "" && !hasToken && (named == "" || account.Normal(named) == account.Normal(a.server)) {
		a.token, a.tokenFrom = file[tokenVar], tokenVar+" in "+dotEnvFile
	}
	if a.server != "" && a.token != "" {
		return a, nil
	}
	if err := f.remembered(s, &a); err != nil {
		return a, err
	}
	if a.token == "" && envToken != "" { // that of another server, unless the user knows better
		a.token, a.tokenFrom, a.strayFrom = envToken, tokenVar, envServer
	}
	return a, nil
}

// fromFile is the access that .env names. before is what flags and the
// environment say, which is no server, and maybe a token.
func (f *serverFlags) fromFile(s Streams, file map[string]string, before access) (access, error) {
	a := access{server: file[serverVar], serverFrom: serverVar + " in " + dotEnvFile}
	if a.token, a.tokenFrom = file[tokenVar], tokenVar+" in "+dotEnvFile; a.token != "" {
		return a, nil
	}
	if err := f.remembered(s, &a); err != nil || a.token != "" {
		return a, err
	}
	if before.token == "" {
		return a, nil
	}
	return a, usage(fmt.Errorf("the server %s is named by the file %s only, so it does not get the token of %s", report.Visible(a.server), dotEnvFile, before.tokenFrom),
		"if that is your server, name it with "+serverVar+" or --server, or `drone login "+shellWord(a.server)+"`")
}

// optionHint says how to give what is missing or wrong.
func (a access) optionHint(option string) string {
	switch option {
	case "CA file", "certificate":
		return "--ca-file, --client-cert and --client-key name files in PEM; a login remembers those it was made with"
	case "SOCKS proxy":
		return "set " + socksVar + " or --socks-proxy to HOST:PORT, or " + socksOffVar + "=true to use none"
	}
	switch {
	case option == "server" && a.serverFrom != "" && a.serverFrom != serverVar && a.serverFrom != fromServerFlag:
		return "the address is that of " + a.serverFrom
	case option == "server":
		return "set " + serverVar + ", or add --server; for example https://drone.example.com; or remember one with `drone login https://drone.example.com`"
	case option == "token" && a.server != "":
		return "set " + tokenVar + "; your account page on the server shows the token; or remember it with `drone login " + shellWord(a.server) + "`"
	}
	return "set " + tokenVar + "; your account page on the server shows the token"
}

// dotEnv are the variables in the file .env of the working directory, which the
// official command reads. That one which cannot be read is told elsewhere.
func dotEnv(s Streams) map[string]string {
	entries, err := dotEnvSettings()
	if err != nil {
		return nil
	}
	values := map[string]string{}
	for name, e := range entries {
		values[name] = e.Value
	}
	for _, name := range []string{skipVerifyVar, socksVar, socksOffVar, autoscalerVar} {
		if e := entries[name]; e.Value != "" {
			s.warn(fmt.Sprintf("%s:%d: %s has no effect: no file of a repository may say how a server is reached", dotEnvFile, e.Line, name))
		}
	}
	return values
}

// accounts is where logins are remembered.
func (s Streams) accounts() (*account.Store, error) {
	dir, err := userConfigDir(s)
	if err != nil {
		return nil, usage(errors.New("neither XDG_CONFIG_HOME nor a home directory is known, so no login is remembered"), "set "+serverVar+" and "+tokenVar)
	}
	return account.In(dir, systemKeyring(s, keystore.TokenService)), nil
}

// remembered completes an access from the logins: the token for a server that is
// known, or both, for the git remote of the working tree.
func (f *serverFlags) remembered(s Streams, a *access) error {
	store, err := s.accounts()
	if err != nil {
		return nil // nothing can be remembered: what is missing is told as such
	}
	list, err := store.Profiles()
	if err != nil {
		return accountFailure(err)
	}
	p, ok := list.ForServer(a.server)
	if a.server == "" && len(list) > 0 {
		if p, ok, err = list.Choose(facts.Read(".").Remote.Host); err != nil {
			return usage(err, "name one with --profile, or make one of them the default: `drone profile use NAME`")
		}
		if !ok {
			return usage(fmt.Errorf("no login is the default, and none is for this git remote"), "name one with --profile: "+strings.Join(list.Names(), ", "))
		}
	}
	if !ok {
		return nil
	}
	return a.take(store, p, "the login "+p.Name)
}

// named is the access of a profile that the user has named.
func (f *serverFlags) named(s Streams, name, by string) (access, error) {
	var a access
	store, err := s.accounts()
	if err != nil {
		return a, err
	}
	list, err := store.Profiles()
	if err != nil {
		return a, accountFailure(err)
	}
	p, ok := list.Find(name)
	if !ok {
		hint := "`drone login` remembers one"
		if len(list) > 0 {
			hint = "there is " + strings.Join(list.Names(), ", ")
		}
		return a, usage(fmt.Errorf("there is no login called %q, which %s names", name, by), hint)
	}
	if f.server != "" && account.Normal(f.server) != p.Server {
		return a, usage(fmt.Errorf("--server and the login %s name two servers", name), "leave out one of the two")
	}
	if f.token != "" {
		a.token, a.tokenFrom = f.token, fromTokenFlag
	}
	return a, a.take(store, p, "the login "+p.Name)
}

// take takes from a login what is not known otherwise.
func (a *access) take(store *account.Store, p account.Profile, from string) error {
	a.profile = p
	if a.server == "" {
		a.server, a.serverFrom = p.Server, from
	}
	if a.token != "" {
		return nil
	}
	token, _, err := store.Token(p.Name)
	switch {
	case errors.Is(err, account.ErrUnknown):
		return usage(fmt.Errorf("the token of %s is not there any more", from), "`drone login "+shellWord(p.Server)+" --profile "+p.Name+"` asks for it again")
	case err != nil:
		return accountFailure(err)
	}
	a.token, a.tokenFrom = token, from
	return nil
}

// accountFailure gives an error of the logins its status and hint.
func accountFailure(err error) error {
	return mistake(err, "set "+serverVar+" and "+tokenVar+" instead")
}
