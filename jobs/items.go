package jobs

import (
	"fmt"
	"maps"
	"slices"
	syntax "text/template/parse"

	"github.com/hashicorp/nomad/api"
)

// VariablePath is the path of a job's own Nomad variable, which its tasks may
// read without more ado.
func VariablePath(id string) string { return "nomad/jobs/" + id }

// Items are what a job's templates read of the job's own Nomad variable.
type Items struct {
	Needed   []string // by name, sorted
	Optional []string // likewise; the templates ask whether they are there
	All      bool     // whatever there is, as those do that go through them
}

// Reads tells whether the item of that name is read by its name.
func (i Items) Reads(name string) bool {
	return slices.Contains(i.Needed, name) || slices.Contains(i.Optional, name)
}

// Pick is what the job is to be given of items that there are.
func (i Items) Pick(all map[string]string) map[string]string {
	picked := map[string]string{}
	for name, value := range all {
		if i.All || i.Reads(name) {
			picked[name] = value
		}
	}
	return picked
}

// Items reads the templates of the job's tasks. A template that comes with an
// artifact is not known here; one that reads a variable whose path is not plain
// in it counts as one that reads everything.
func (j Job) Items() (Items, error) {
	found := reads{path: VariablePath(*j.ID), names: map[string]bool{}}
	for _, group := range j.TaskGroups {
		for _, task := range group.Tasks {
			for _, template := range task.Templates {
				if err := found.add(template); err != nil {
					return Items{}, fmt.Errorf("job %q: task %q: %w", *j.ID, task.Name, err)
				}
			}
		}
	}
	items := Items{All: found.all}
	for _, name := range slices.Sorted(maps.Keys(found.names)) {
		if found.names[name] {
			items.Optional = append(items.Optional, name)
		} else {
			items.Needed = append(items.Needed, name)
		}
	}
	return items, nil
}

// reads collects what templates read of one variable.
type reads struct {
	path  string
	names map[string]bool // true for those that a template asks for whether they are there
	all   bool
}

// add reads a template. The functions are those of the program that renders it,
// so none is unknown here.
func (r *reads) add(template *api.Template) error {
	if template.EmbeddedTmpl == nil {
		return nil
	}
	tree := syntax.New("template")
	if template.DestPath != nil {
		tree.Name = *template.DestPath
	}
	tree.Mode = syntax.SkipFuncCheck
	trees := map[string]*syntax.Tree{}
	if _, err := tree.Parse(*template.EmbeddedTmpl, deref(template.LeftDelim), deref(template.RightDelim), trees); err != nil {
		return err
	}
	for name, tree := range trees {
		w := walk{reads: r, trees: trees, inside: []string{name}, variables: map[string]bool{}}
		w.list(tree.Root, false)
	}
	return nil
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func (r *reads) item(name string, asked bool) {
	switch name {
	case "Keys", "Values", "Tuples", "ItemsMap", "Parent": // methods of the variable, not items
		r.all = true
	case "Metadata":
	default:
		r.names[name] = r.names[name] || asked
	}
}
