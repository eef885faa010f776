package main

import (
	"bytes"
	"fmt"
	"strings"
)

// notes is the section of a changelog about a version, without its heading.
// "Unreleased" is a version too.
func notes(changelog []byte, version string) ([]byte, error) {
	heading := "## [" + strings.TrimPrefix(version, "v") + "]"
	_, rest, ok := bytes.Cut(append([]byte("\n"), changelog...), []byte("\n"+heading))
	if !ok {
		return nil, fmt.Errorf("CHANGELOG.md has no section %s", heading)
	}
	_, rest, _ = bytes.Cut(rest, []byte("\n"))
	section, _, _ := bytes.Cut(rest, []byte("\n## ["))
	section = bytes.TrimSpace(section)
	if len(section) == 0 {
		return nil, fmt.Errorf("the section %s of CHANGELOG.md is empty", heading)
	}
	return append(section, '\n'), nil
}
