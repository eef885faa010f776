package scaffold

import (
	"cmp"
	"path"
	"regexp"
)

func rustProject(s *scan, folder string) *project {
	text := s.read(folder, "Cargo.toml")
	if text == "" {
		return nil
	}
	toolchain := s.read(folder, "rust-toolchain.toml") + s.read(folder, "rust-toolchain")
	version := cmp.Or(find(toolchain, `(?m)^(?:channel\s*=\s*")?(1\.\d+)`), defaultRust) // rust-version is a lower bound
	image, locked := "rust:"+version, ""
	if s.has(folder, "Cargo.lock") != "" {
		locked = " --locked"
	}
	p, all := &project{folder: folder}, ""
	if regexp.MustCompile(`(?m)^\[workspace\]`).MatchString(text) {
		all = " --workspace"
		p.members = []string{"**"} // cargo refuses one that is neither a member nor excluded
		for _, folder := range quoted(find(text, `(?s)\bexclude\s*=\s*\[(.*?)\]`)) {
			p.members = append(p.members, "!"+folder)
		}
	}
	s.saw(path.Join(folder, "Cargo.toml"), "Rust %s: fmt, clippy and test", version)
	p.steps = []step{
		{name: "lint", image: image, commands: []string{"rustup component add rustfmt clippy", "cargo fmt --all --check", "cargo clippy" + all + locked + " -- -D warnings"}},
		{name: "test", image: image, commands: []string{"cargo test" + all + locked}},
	}
	return p
}

// quoted are the texts in quotes of a list of TOML.
func quoted(list string) (texts []string) {
	for _, m := range regexp.MustCompile(`"([^"]*)"|'([^']*)'`).FindAllStringSubmatch(list, -1) {
		texts = append(texts, m[1]+m[2])
	}
	return texts
}
