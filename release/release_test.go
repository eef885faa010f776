package main

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// TestLicences is that everything which is linked in may be passed on.
func TestLicences(t *testing.T) {
	modules, err := linked()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := check(modules); err != nil {
		t.Error(err)
	}
	for path, e := range exceptions {
		i := slices.IndexFunc(modules, func(m module) bool { return m.Path == path })
		if i < 0 {
			t.Errorf("the exception for %s (%s) is for nothing that is linked", path, e.reason)
		}
	}
	text := string(notices(modules))
	for _, want := range []string{"github.com/spf13/cobra v", "gopkg.in/yaml.v3 v", "its README says MIT", "Redistribution and use", "\nstd 1."} {
		if !strings.Contains(text, want) {
			t.Errorf("the notices lack %q", want)
		}
	}
}

func TestLicencesOf(t *testing.T) {
	bsd := "Redistribution and use…\n * Redistributions in binary form must reproduce the above copyright\nnotice"
	for _, test := range []struct{ text, want string }{
		{"Apache License\n      Version 2.0, January 2004\n", "Apache-2.0"},
		{"// Licensed under the Apache License, Version 2.0 (the \"License\")", "Apache-2.0"},
		{"Permission is hereby granted, free of charge, to any person obtaining a copy\nof this software", "MIT"},
		{bsd, "BSD-2-Clause"},
		{bsd + " * Neither the name of X nor", "BSD-3-Clause"},
		{bsd + " All advertising materials mentioning features", "BSD-2-Clause BSD-4-Clause"},
		{"Permission to use, copy, modify, and/or distribute this software for any\npurpose with or without fee is hereby granted", "ISC"},
		{"Mozilla Public License Version 2.0 … GNU General Public License, Version 2.0", "MPL-2.0"},
		{"GNU GENERAL PUBLIC LICENSE Version 3", "GPL"},
		{"GNU Lesser General Public License", "GPL"},
		{"PolyForm Small Business License 1.0.0", "PolyForm"},
		{"All rights reserved.", ""},
	} {
		if got := strings.Join(licencesOf(test.text), " "); got != test.want {
			t.Errorf("%.40q is %q, want %q", test.text, got, test.want)
		}
	}
}

// TestWhatMayNotBePassedOn has modules of every kind that is refused.
func TestWhatMayNotBePassedOn(t *testing.T) {
	const mit = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software"
	for _, test := range []struct {
		path  string
		files []licenceFile
		want  string
	}{
		{"example/free", []licenceFile{{"LICENSE", mit}}, ""},
		{"example/two", []licenceFile{{"LICENSE", mit}, {"LICENSE.GPL", "GNU General Public License"}}, "LICENSE.GPL is GPL"},
		{"example/own", []licenceFile{{"LICENSE", "Ask me."}}, "of no licence that is known"},
		{"example/none", nil, "has no licence file"},
		{"example/notice", []licenceFile{{"NOTICE", mit}}, "has no licence file"},
		{"github.com/drone/runner-go", []licenceFile{{"LICENSE", mit}}, "must not be used"},
	} {
		_, err := check([]module{{Path: test.path, Version: "v1", files: test.files}})
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.path, err, test.want)
		}
	}
}

func TestSBOM(t *testing.T) {
	info := &debug.BuildInfo{
		GoVersion: "go1.26.0 X:foo", Path: program, Main: debug.Module{Path: "github.com/drone-laptop/drone"},
		Deps:     []*debug.Module{{Path: "example/old", Replace: &debug.Module{Path: "example/M", Version: "v1.2.3+incompatible", Sum: "h1:x"}}},
		Settings: []debug.BuildSetting{{Key: "GOOS", Value: "linux"}, {Key: "DefaultGODEBUG", Value: "a=b"}},
	}
	known := []module{
		{Path: "example/M", files: []licenceFile{{"LICENSE", "Mozilla Public License Version 2.0"}}},
		{Path: std, files: []licenceFile{{"LICENSE", "Mozilla Public License Version 2.0"}}},
	}
	program := built{"v4.5.6", "2026-01-02T03:04:05Z", "abc", info}
	text, err := sbom(program, known)
	if err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if main := doc.Metadata.Component; main.PURL != "pkg:golang/github.com/drone-laptop/drone@v4.5.6" || len(main.Properties) != 1 || main.Hashes[0] != (hash{"SHA-256", "abc"}) {
		t.Errorf("the program is %+v", main)
	}
	if len(doc.Components) != 2 || doc.Components[0].PURL != "pkg:golang/std@1.26.0" {
		t.Fatalf("got %+v", doc.Components)
	}
	c := doc.Components[1]
	if c.Name != "example/M" || c.PURL != "pkg:golang/example/m@v1.2.3%2Bincompatible" || c.Licences[0].License.ID != "MPL-2.0" || c.Properties[0].Value != "h1:x" {
		t.Errorf("got %+v", c)
	}
	want := []dependency{{doc.Metadata.Component.Ref, []string{doc.Components[0].Ref, c.Ref}}}
	if doc.Metadata.Time != program.date || !reflect.DeepEqual(doc.Dependencies, want) {
		t.Errorf("at %s: %+v, want %+v", doc.Metadata.Time, doc.Dependencies, want)
	}
	if _, err := sbom(program, known[1:]); err == nil || !strings.Contains(err.Error(), "example/M, whose licence is not known") {
		t.Errorf("without its licence: %v", err)
	}
	program.date = "yesterday"
	if _, err := sbom(program, known); err == nil || !strings.Contains(err.Error(), "date of the commit") {
		t.Errorf("without a date: %v", err)
	}
}

func TestNotes(t *testing.T) {
	const log = "# Changelog\n\n## [Unreleased]\n\n## [1.1.0] - 2026-01-01\n\n### Added\n\n- b\n\n## [1.0.0]\n\n- a\n"
	for version, want := range map[string]string{"v1.1.0": "### Added\n\n- b\n", "1.0.0": "- a\n"} {
		if got, err := notes([]byte(log), version); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", version, got, err)
		}
	}
	for version, want := range map[string]string{"v1.0": "no section ## [1.0]", "Unreleased": "is empty"} {
		if _, err := notes([]byte(log), version); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", version, err, want)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"licences", "x"}, {"sbom"}, {"publish"}} {
		if err := run(args, io.Discard); !errors.Is(err, errUsage) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
