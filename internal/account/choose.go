package account

import (
	"slices"
	"strings"
)

// Profiles are profiles by name.
type Profiles []Profile

// Find gives the profile of a name.
func (l Profiles) Find(name string) (Profile, bool) {
	i := slices.IndexFunc(l, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return Profile{}, false
	}
	return l[i], true
}

// ForServer gives the profile for the address of a server; of several the
// default, else the first by name.
func (l Profiles) ForServer(server string) (Profile, bool) {
	var found Profile
	for _, p := range l {
		if p.Server == Normal(server) && (found.Name == "" || p.Default) {
			found = p
		}
	}
	return found, found.Name != ""
}

// Choose gives the profile for a working tree whose git remote is on host, which
// may be "": the one for that host, of several the default; where none is, the
// default. Without any it reports false. The error is an *AmbiguousError.
func (l Profiles) Choose(host string) (Profile, bool, error) {
	var fit Profiles
	for _, p := range l {
		if host != "" && slices.ContainsFunc(p.Hosts, func(h string) bool { return strings.EqualFold(h, host) }) {
			fit = append(fit, p)
		}
	}
	if len(fit) == 1 {
		return fit[0], true, nil
	}
	among := l
	if len(fit) > 1 {
		among = fit
	}
	for _, p := range among {
		if p.Default {
			return p, true, nil
		}
	}
	if len(fit) > 1 {
		return Profile{}, false, &AmbiguousError{host, fit.Names()}
	}
	return Profile{}, false, nil
}

// Names are those of the profiles.
func (l Profiles) Names() []string {
	var names []string
	for _, p := range l {
		names = append(names, p.Name)
	}
	return names
}
