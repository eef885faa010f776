package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// allowed are the licences that what is linked into a binary may have, as SPDX
// names them. Each lets the binary be passed on under the licence of this
// project, when the text comes along, which is what `notices` is for.
var allowed = map[string]string{
	"Apache-2.0":   "the licence of this project",
	"BSD-2-Clause": "asks for its text only",
	"BSD-3-Clause": "asks for its text only",
	"ISC":          "asks for its text only",
	"MIT":          "asks for its text only",
	"MPL-2.0":      "covers its own files, which are used unchanged and can be had from the module proxy",
	"Unlicense":    "asks for nothing",
}

// banned are modules that must not be used whatever their file says, by the
// beginning of their path.
var banned = map[string]string{
	"github.com/drone-runners/":      "its licence allows no commercial use",
	"github.com/drone/runner-go":     "its licence allows no commercial use",
	"github.com/drone/drone-yaml":    "its licence allows no commercial use",
	"github.com/drone/drone-runtime": "its licence allows no commercial use",
}

// exceptions are modules whose files do not say it, with where it is said.
var exceptions = map[string]struct{ licence, reason string }{
	"github.com/mattn/go-localereader": {"MIT", "has no licence file; its README says MIT, (c) Yasuhiro Matsumoto"},
}

// files that look like licences and cover nothing that is linked.
var aside = map[string]string{
	"LICENSE.docs": "covers the documentation of github.com/opencontainers/go-digest",
	"PATENTS":      "grants more than the licence beside it",
	"NOTICE":       "is passed on, and is no licence",
}

// marks are sentences by which a licence is known, in the form of plain. A text
// may hold several licences.
var marks = []struct{ licence, sentence string }{
	{"Apache-2.0", "apache license version 2.0 january 2004"},
	{"Apache-2.0", "licensed under the apache license version 2.0"},
	{"BSD-4-Clause", "all advertising materials mentioning features"},
	{"CC-BY-SA-4.0", "attribution-sharealike 4.0"},
	{"ISC", "permission to use copy modify and/or distribute this software for any purpose with or without fee is hereby granted"},
	{"ISC", "permission to use copy modify and distribute this software for any purpose with or without fee is hereby granted"},
	{"MIT", "permission is hereby granted free of charge to any person obtaining a copy of this software"},
	{"MPL-2.0", "mozilla public license version 2.0"},
	{"PolyForm", "polyform"},
	{"Unlicense", "this is free and unencumbered software released into the public domain"},
}

var (
	noise  = regexp.MustCompile(`[,;:()"'*#/\s]+`)
	spaces = regexp.MustCompile(` +`)
)

// plain is text in small letters, without punctuation and with single spaces.
func plain(text string) string {
	text = strings.ReplaceAll(strings.ToLower(text), "and/or", "and\x00or")
	text = noise.ReplaceAllString(text, " ")
	return strings.ReplaceAll(spaces.ReplaceAllString(text, " "), "\x00", "/")
}

// licencesOf are the licences of a text, sorted; none when it is not known.
func licencesOf(text string) []string {
	text = plain(text)
	found := map[string]bool{}
	for _, m := range marks {
		if strings.Contains(text, m.sentence) {
			found[m.licence] = true
		}
	}
	if strings.Contains(text, "redistributions in binary form must reproduce") {
		if strings.Contains(text, "neither the name") || strings.Contains(text, "the names of its contributors may not") {
			found["BSD-3-Clause"] = true
		} else {
			found["BSD-2-Clause"] = true
		}
	}
	// The text of the MPL names those that it is compatible with.
	if !found["MPL-2.0"] && regexp.MustCompile(`gnu (lesser |affero )?general public license`).MatchString(text) {
		found["GPL"] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// check fills in the licences of the modules, and counts them. The error names
// every module that may not be passed on, and why.
func check(modules []module) (counts string, err error) {
	var wrong []error
	number := map[string]int{}
	for i := range modules {
		m := &modules[i]
		if m.licences, err = judge(*m); err != nil {
			wrong = append(wrong, err)
		}
		for _, licence := range m.licences {
			number[licence]++
		}
	}
	var words []string
	for _, licence := range slices.Sorted(maps.Keys(number)) {
		words = append(words, fmt.Sprintf("%s %d", licence, number[licence]))
	}
	return strings.Join(words, ", "), errors.Join(wrong...)
}

func judge(m module) ([]string, error) {
	for path, reason := range banned {
		if strings.HasPrefix(m.Path, path) {
			return nil, fmt.Errorf("%s must not be used: %s", m.Path, reason)
		}
	}
	if e, ok := exceptions[m.Path]; ok {
		return []string{e.licence}, nil
	}
	found := map[string]bool{}
	for _, file := range m.files {
		if aside[file.name] != "" {
			continue
		}
		licences := licencesOf(file.text)
		if len(licences) == 0 {
			return nil, fmt.Errorf("%s %s: %s is of no licence that is known", m.Path, m.Version, file.name)
		}
		for _, licence := range licences {
			if allowed[licence] == "" {
				return nil, fmt.Errorf("%s %s: %s is %s, which is not among those that are allowed", m.Path, m.Version, file.name, licence)
			}
			found[licence] = true
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s %s has no licence file", m.Path, m.Version)
	}
	return slices.Sorted(maps.Keys(found)), nil
}
