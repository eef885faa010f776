package dockerhost

import (
	"maps"
	"slices"
)

// Helper is a program that keeps credentials, as the configuration names it.
type Helper struct {
	Program string
	// Setting is credsStore or credHelpers, in File.
	Setting, File string
	// Registries are those it is for; for a credsStore there are none, since it
	// is for all others.
	Registries []string
}

// Helpers are the programs that c would ask, sorted by name. They may not
// exist.
func (c *Credentials) Helpers() []Helper {
	if c.file == nil {
		return nil
	}
	file := c.env.short(c.file.Filename)
	byProgram := map[string]Helper{}
	for _, registry := range slices.Sorted(maps.Keys(c.file.CredentialHelpers)) {
		suffix := c.file.CredentialHelpers[registry]
		if suffix == "" {
			continue // this one is in the file itself
		}
		h := byProgram[suffix]
		h.Program, h.Setting, h.File = helperProgram(suffix), "credHelpers", file
		h.Registries = append(h.Registries, registry)
		byProgram[suffix] = h
	}
	if suffix := c.file.CredentialsStore; suffix != "" {
		byProgram[suffix] = Helper{Program: helperProgram(suffix), Setting: "credsStore", File: file}
	}
	var list []Helper
	for _, suffix := range slices.Sorted(maps.Keys(byProgram)) {
		list = append(list, byProgram[suffix])
	}
	return list
}
