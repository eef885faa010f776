package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/convert"
)

// programFlags are what programs and templates are given, by every command that
// takes them.
type programFlags struct {
	jsonnet      jsonnetFlags
	templateDirs []string
	maxSteps     uint64
}

func (f *programFlags) register(flags *pflag.FlagSet) {
	f.jsonnet.register(flags)
	flags.StringArrayVar(&f.templateDirs, "template-dir", nil, "`folder` with templates, looked at before .drone/templates (repeatable)")
	f.registerSteps(flags)
}

func (f *programFlags) registerSteps(flags *pflag.FlagSet) {
	flags.Uint64Var(&f.maxSteps, "max-execution-steps", 0, "steps that main of a Starlark program may take (default 50000, as on a server)")
}

// jsonnetFlags are for Jsonnet alone, but for the folders, where Starlark loads
// from, too.
type jsonnetFlags struct {
	extVars, extCode, topVars, topCode []string
	paths                              []string
}

func (f *jsonnetFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&f.extVars, "ext-var", "V", nil, "std.extVar of Jsonnet, `K=V`, or K for the value of that environment variable (repeatable)")
	flags.StringArrayVar(&f.extCode, "ext-code", nil, "the same with an expression of Jsonnet, `K=CODE` (repeatable)")
	flags.StringArrayVar(&f.topVars, "tla-str", nil, "argument of a Jsonnet program that is a function, `K=V`, or K as for --ext-var (repeatable)")
	flags.StringArrayVar(&f.topCode, "tla-code", nil, "the same with an expression of Jsonnet, `K=CODE` (repeatable)")
	flags.StringArrayVarP(&f.paths, "jpath", "J", nil, "`folder` for import of Jsonnet and load of Starlark, the last one first (repeatable)")
	normalize := flags.GetNormalizeFunc()
	flags.SetNormalizeFunc(func(flags *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "extVar" { // what the official command calls it
			name = "ext-var"
		}
		return normalize(flags, name)
	})
}

// options reads the flags. The folders of JSONNET_PATH come before those of the
// flags, which is behind them in the order of the search.
func (f *jsonnetFlags) options(s Streams) (opts convert.Options, err error) {
	for _, values := range []struct {
		flag  string
		texts []string
		into  *map[string]string
	}{
		{"ext-var", f.extVars, &opts.ExtVars}, {"ext-code", f.extCode, &opts.ExtCode},
		{"tla-str", f.topVars, &opts.TopVars}, {"tla-code", f.topCode, &opts.TopCode},
	} {
		if *values.into, err = s.assignments(values.flag, values.texts); err != nil {
			return opts, err
		}
	}
	opts.Paths = slices.DeleteFunc(filepath.SplitList(s.getenv("JSONNET_PATH")), func(dir string) bool { return dir == "" })
	opts.Paths = append(opts.Paths, f.paths...)
	opts.Print = func(line string) { s.note(line) }
	opts.Warn, opts.Evaluate = s.warn, s.evaluator()
	return opts, nil
}

// assignments reads K=V; K alone stands for the environment variable.
func (s Streams) assignments(flag string, texts []string) (map[string]string, error) {
	out := map[string]string{}
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			value, ok = s.LookupEnv(name)
		}
		switch {
		case name == "":
			return nil, usage(fmt.Errorf("--%s %q has no name", flag, text), "write --"+flag+" NAME=VALUE")
		case !ok:
			return nil, usage(fmt.Errorf("--%s %s: the environment variable %s is undefined", flag, name, name), "write --"+flag+" "+name+"=VALUE")
		}
		out[name] = value
	}
	return out, nil
}

// options are what the file name is converted with. What it reads is in its
// working tree, unless it is trusted.
func (f *programFlags) options(s Streams, name string, source []byte, build compile.Build, trusted bool) (convert.Options, error) {
	if convert.Detect(name, source) == convert.FormatDrone {
		return convert.Options{}, nil // which needs nothing
	}
	opts, err := f.jsonnet.options(s)
	if err != nil {
		return opts, err
	}
	for _, folder := range f.templateDirs {
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			return opts, usage(fmt.Errorf("--template-dir %s is no folder", folder), "")
		}
	}
	dir := filepath.Dir(name)
	tree, err := workingTree(dir)
	if err != nil {
		return opts, usage(fmt.Errorf("cannot tell the working tree of %s: %w", name, cause(err)), "")
	}
	opts.Build, opts.MaxSteps = build, f.maxSteps
	opts.Legacy.Link = build.Repo.Link
	opts.TemplateDirs = append(slices.Clone(f.templateDirs), filepath.Join(dir, templateFolder))
	if top := nearby(filepath.Join(tree, templateFolder)); !slices.Contains(opts.TemplateDirs, top) {
		opts.TemplateDirs = append(opts.TemplateDirs, top)
	}
	if !trusted {
		opts.Within = tree
	}
	return opts, nil
}

// templateFolder is where templates are looked for, as copies of those of the
// server.
const templateFolder = ".drone/templates"

// nearby names a path as seen from the current directory, if it is in there.
func nearby(path string) string {
	dir, err := os.Getwd()
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err == nil {
		dir, err = filepath.Rel(dir, path)
	}
	if err != nil || !filepath.IsLocal(dir) {
		return path
	}
	return dir
}
