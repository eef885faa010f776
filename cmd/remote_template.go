package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/internal/table"
	"github.com/drone-laptop/drone/remote"
)

type templateCommands struct{ asker }

func newTemplate(s Streams) *cobra.Command {
	x := templateCommands{asker{s, &serverFlags{}}}
	return x.group("template", "list and set the templates of an organization on a server",
		"template asks a server about templates, which files of kind: template load. NAMESPACE is the\n"+
			"owner of the repositories that may load them. `drone render` shows what one makes.",
		x.ls(), x.info(), x.add(), x.update(), x.rm(),
	)
}

// templateName is what names a template: two arguments, or two flags as in the
// official command.
type templateName struct{ namespace, name string }

func (n *templateName) register(flags *pflag.FlagSet) {
	flags.StringVar(&n.namespace, "namespace", "", "owner of the repositories that load it")
	flags.StringVar(&n.name, "name", "", "name of the template")
	flags.Lookup("namespace").Hidden, flags.Lookup("name").Hidden = true, true // arguments say the same
}

// take completes the name from arguments.
func (n *templateName) take(c *cobra.Command, args []string) error {
	for _, arg := range args {
		switch {
		case n.namespace == "":
			n.namespace = arg
		case n.name == "":
			n.name = arg
		default:
			return wrongArgs(c)
		}
	}
	if n.namespace == "" || n.name == "" {
		return wrongArgs(c)
	}
	return nil
}

func (n *templateName) String() string { return n.name + " of " + n.namespace }

func templateColumns(now time.Time) []table.Column[remote.Template] {
	return []table.Column[remote.Template]{
		{Name: "Namespace", Text: func(t *remote.Template) string { return t.Namespace }},
		{Name: "Name", Text: func(t *remote.Template) string { return t.Name }},
		{Name: "Updated", Text: func(t *remote.Template) string { return ago(t.Updated, now) }},
	}
}

func (x templateCommands) ls() *cobra.Command {
	var f resultFlags
	var namespace string
	c := &cobra.Command{
		Use:     "ls [NAMESPACE]",
		Short:   "list templates",
		Long:    "ls lists the templates of a namespace; without one those of all, for administrators.",
		Example: "  drone template ls octo",
	}
	c.Flags().StringVar(&namespace, "namespace", "", "owner of the repositories that load them")
	f.register(c.Flags())
	return x.ask(c, 0, 1, func(ctx context.Context, q *session, args []string) (err error) {
		if len(args) > 0 {
			namespace = args[0]
		}
		var list []remote.Template
		if namespace == "" {
			list, err = q.TemplateAll(ctx)
		} else {
			list, err = q.TemplateList(ctx, namespace)
		}
		if err != nil {
			return q.fail(err, "namespace "+namespace)
		}
		return writeList(x.s, &f, list, templateColumns(time.Now()), "there are no templates")
	})
}

func (x templateCommands) info() *cobra.Command {
	var f resultFlags
	var n templateName
	c := &cobra.Command{
		Use:     "info NAMESPACE NAME",
		Short:   "print a template",
		Long:    "info prints the text of a template.",
		Example: "  drone template info octo plugin.yaml\n  drone template info octo plugin.yaml --output json",
	}
	n.register(c.Flags())
	f.register(c.Flags())
	return x.ask(c, 0, 2, func(ctx context.Context, q *session, args []string) error {
		if err := n.take(c, args); err != nil {
			return err
		}
		t, err := q.Template(ctx, n.namespace, n.name)
		if err != nil {
			return q.fail(err, "template "+n.String())
		}
		if done, err := f.writeAs(x.s, t); done {
			return err
		}
		return x.s.writeForeign(t.Data)
	})
}

// templateText is the text of a template: that of --data, else of the file that is
// called like it.
func (x templateCommands) text(flags *pflag.FlagSet, data string, n *templateName) (string, error) {
	words := []string{data}
	if !flags.Changed("data") {
		if _, err := os.Stat(n.name); err != nil {
			return "", usage(fmt.Errorf("nothing says what is in the template, and there is no file %s here", n.name), "add --data @FILE, or --data - for standard input")
		}
		words[0] = "@" + n.name
	}
	text, _, err := readValue(x.s, words, "")
	if err == nil && len(text) == 0 {
		err = usage(errors.New("the template is empty"), "")
	}
	return string(text), err
}

// templateSuffixes are the forms of templates that servers know, by the end of
// the name.
var templateSuffixes = []string{".yml", ".yaml", ".star", ".starlark", ".script", ".jsonnet"}

func (x templateCommands) add() *cobra.Command {
	var n templateName
	var data string
	c := &cobra.Command{
		Use:   "add NAMESPACE NAME",
		Short: "add a template",
		Long: "add stores a template; one of this name that is there is replaced. Its text is that of --data,\n" +
			"else that of the file which is called like the template.",
		Example: "  drone template add octo plugin.yaml --data @.drone/templates/plugin.yaml\n  drone template add octo plugin.star",
	}
	n.register(c.Flags())
	c.Flags().StringVar(&data, "data", "", "the text: @FILE, - for standard input, or the `text` itself")
	return x.ask(c, 0, 2, func(ctx context.Context, q *session, args []string) error {
		if err := n.take(c, args); err != nil {
			return err
		}
		if !slices.Contains(templateSuffixes, filepath.Ext(n.name)) {
			return usage(fmt.Errorf("%q is no name of a template: it does not end in %s", n.name, strings.Join(templateSuffixes, ", ")), "")
		}
		text, err := x.text(c.Flags(), data, &n)
		if err != nil {
			return err
		}
		done := "added"
		if _, err = q.TemplateCreate(ctx, n.namespace, n.name, text); errors.Is(err, remote.ErrDuplicate) {
			done = "updated"
			_, err = q.TemplateUpdate(ctx, n.namespace, n.name, text)
		}
		if err != nil {
			return q.fail(err, "namespace "+n.namespace)
		}
		return x.say("%s the template %s", done, &n)
	})
}

func (x templateCommands) update() *cobra.Command {
	var n templateName
	var data string
	c := &cobra.Command{
		Use:     "update NAMESPACE NAME",
		Short:   "replace the text of a template",
		Example: "  drone template update octo plugin.yaml --data @plugin.yaml",
	}
	n.register(c.Flags())
	c.Flags().StringVar(&data, "data", "", "the text: @FILE, - for standard input, or the `text` itself")
	return x.ask(c, 0, 2, func(ctx context.Context, q *session, args []string) error {
		if err := n.take(c, args); err != nil {
			return err
		}
		text, err := x.text(c.Flags(), data, &n)
		if err != nil {
			return err
		}
		if _, err := q.TemplateUpdate(ctx, n.namespace, n.name, text); err != nil {
			return q.fail(err, "template "+n.String())
		}
		return x.say("updated the template %s", &n)
	})
}

func (x templateCommands) rm() *cobra.Command {
	var n templateName
	var yes yesFlag
	c := &cobra.Command{
		Use:     "rm NAMESPACE NAME",
		Short:   "delete a template",
		Example: "  drone template rm octo plugin.yaml --yes",
	}
	n.register(c.Flags())
	yes.register(c.Flags())
	return x.ask(c, 0, 2, func(ctx context.Context, q *session, args []string) error {
		if err := n.take(c, args); err != nil {
			return err
		}
		return x.delete(q, &yes, "template "+n.String(), func() error { return q.TemplateDelete(ctx, n.namespace, n.name) })
	})
}
