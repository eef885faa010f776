// Command release makes and checks what goes with a released binary:
//
//	go run ./release licences     the licences of all that is linked in are ones we may pass on
//	go run ./release notices FILE writes their texts, which have to be passed on too
//	go run ./release sbom VERSION DATE BINARY FILE
//	                              writes what a binary consists of, as CycloneDX JSON;
//	                              the date is that of the commit
//	go run ./release notes VERSION
//	                              prints what CHANGELOG.md says of a version
//
// All of it is made from the module cache and the binary alone, without a
// clock, so that the same commit gives the same bytes. It exits 1 when something
// is wrong, and 2 for a wrong command line.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "release: error:", err)
		if errors.Is(err, errUsage) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: go run ./release licences | notices FILE | sbom VERSION DATE BINARY FILE | notes VERSION")

func run(args []string, out io.Writer) error {
	switch {
	case len(args) == 1 && args[0] == "licences":
		return checkLicences(out)
	case len(args) == 2 && args[0] == "notices":
		return writeNotices(args[1])
	case len(args) == 5 && args[0] == "sbom":
		return writeSBOM(args[1], args[2], args[3], args[4])
	case len(args) == 2 && args[0] == "notes":
		return printNotes(out, args[1])
	}
	return errUsage
}

func checkLicences(out io.Writer) error {
	modules, err := linked()
	if err != nil {
		return err
	}
	counts, err := check(modules)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "licences: %d modules: %s\n", len(modules), counts)
	return nil
}

func writeNotices(file string) error {
	modules, err := linked()
	if err != nil {
		return err
	}
	if _, err := check(modules); err != nil {
		return err
	}
	return os.WriteFile(file, notices(modules), 0o644)
}

func writeSBOM(version, date, binary, file string) error {
	b, err := readBuilt(version, date, binary)
	if err != nil {
		return err
	}
	modules, err := linked()
	if err != nil {
		return err
	}
	text, err := sbom(b, modules)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

func printNotes(out io.Writer, version string) error {
	text, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		return err
	}
	section, err := notes(text, version)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, bytes.NewReader(section))
	return err
}
