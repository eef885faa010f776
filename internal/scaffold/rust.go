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
	version := cmp.Or(find(toolchain, `(?m)^(?:channel\s*=\s*")?(1\.\d+)`), find(text, `(?m)^rust-version\s*=\s*"(1\.\d+)`), defaultRust)
	image, locked := "rust:"+version, ""
	if s.has(folder, "Cargo.lock") != "" {
		locked = " --locked"
	}
	workspace := regexp.MustCompile(`(?m)^\[workspace\]`).MatchString(text)
	all := ""
	if workspace {
		all = " --workspace"
	}
	s.saw(path.Join(folder, "Cargo.toml"), "Rust %s: fmt, clippy and test", version)
	return &project{folder: folder, workspace: workspace, steps: []step{
		{name: "lint", image: image, commands: []string{"rustup component add rustfmt clippy", "cargo fmt --all --check", "cargo clippy" + all + locked + " -- -D warnings"}},
		{name: "test", image: image, commands: []string{"cargo test" + all + locked}},
	}}
}
