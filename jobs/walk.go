package jobs

import (
	"maps"
	"slices"
	"strings"
	syntax "text/template/parse"
)

// walk goes through a template. What it knows of each value is whether it is
// the job's own variable: the dot, and those of the template's variables.
type walk struct {
	reads     *reads
	trees     map[string]*syntax.Tree // by the names of what the template defines
	inside    []string                // of which these are being walked
	variables map[string]bool         // with the dollar sign
	asking    bool                    // a condition is walked
}

func (w walk) list(list *syntax.ListNode, dot bool) {
	if list == nil {
		return
	}
	w.variables = maps.Clone(w.variables) // they are gone at the end of the list
	for _, node := range list.Nodes {
		w.node(node, dot)
	}
}

func (w walk) node(node syntax.Node, dot bool) {
	switch n := node.(type) {
	case *syntax.ActionNode:
		if w.pipe(n.Pipe, dot) && len(n.Pipe.Decl) == 0 {
			w.reads.all = true // it is printed
		}
	case *syntax.IfNode:
		w.branch(&n.BranchNode, dot, func(bool) bool { return dot })
	case *syntax.WithNode:
		w.branch(&n.BranchNode, dot, func(own bool) bool { return own })
	case *syntax.RangeNode:
		w.branch(&n.BranchNode, dot, func(own bool) bool {
			w.reads.all = w.reads.all || own
			return false
		})
	case *syntax.TemplateNode:
		own := n.Pipe != nil && w.pipe(n.Pipe, dot)
		if tree := w.trees[n.Name]; own && tree != nil && !slices.Contains(w.inside, n.Name) {
			w.inside = append(slices.Clone(w.inside), n.Name)
			w.variables = map[string]bool{"$": true}
			w.list(tree.Root, true)
		}
	}
}

// branch walks an if, a with or a range; inner says what the dot is inside,
// from what the condition is.
func (w walk) branch(n *syntax.BranchNode, dot bool, inner func(own bool) bool) {
	w.variables = maps.Clone(w.variables)
	condition := w
	condition.asking = n.NodeType != syntax.NodeRange
	own := condition.pipe(n.Pipe, dot)
	within := inner(own)
	if n.NodeType == syntax.NodeRange {
		for _, v := range n.Pipe.Decl {
			w.variables[v.Ident[0]] = false // the elements
		}
	}
	w.list(n.List, within)
	w.list(n.ElseList, dot)
}

// pipe tells whether the value of a pipeline is the job's own variable.
func (w walk) pipe(pipe *syntax.PipeNode, dot bool) bool {
	var last syntax.Node // the value that goes into the next command, if it is that alone
	own := false
	for i, command := range pipe.Cmds {
		arguments := command.Args
		if i > 0 {
			arguments = append(slices.Clone(arguments), last)
		}
		own = w.command(arguments, own && i > 0, dot)
		if last = nil; len(command.Args) == 1 {
			last = command.Args[0]
		}
	}
	for _, v := range pipe.Decl {
		w.variables[v.Ident[0]] = own
	}
	if pipe.IsAssign && own {
		w.reads.all = true // it is known by that name outside too
	}
	return own
}

// command tells whether the value of a call, or of an operand alone, is the
// job's own variable. The last argument is nil if it comes from a pipeline and
// is not known; piped says whether that is the variable.
func (w walk) command(arguments []syntax.Node, piped, dot bool) bool {
	function, called := arguments[0].(*syntax.IdentifierNode)
	if !called {
		return w.operand(arguments[0], dot)
	}
	rest := arguments[1:]
	switch function.Ident {
	case "nomadVar":
		return len(rest) == 1 && w.isOwn(rest[0])
	case "nomadVarExists", "nomadVarList", "nomadVarListSafe":
		return false
	case "index":
		if len(rest) != 2 {
			break
		}
		if key, plain := rest[1].(*syntax.StringNode); plain && w.operand(rest[0], dot) {
			w.reads.item(key.Text, w.asking)
			return false
		}
	}
	for _, argument := range rest {
		if argument != nil && w.operand(argument, dot) {
			piped = true
		}
	}
	w.reads.all = w.reads.all || piped // who is given it whole may read all of it
	return false
}

// isOwn tells whether a path is that of the job's own variable, or may be.
func (w walk) isOwn(path syntax.Node) bool {
	text, plain := path.(*syntax.StringNode)
	if !plain {
		w.reads.all = true
		return true
	}
	name, _, _ := strings.Cut(text.Text, "@") // the namespace and region may follow
	return name == w.reads.path
}

// operand tells whether a value is the job's own variable, and notes what of it is read.
func (w walk) operand(node syntax.Node, dot bool) bool {
	switch n := node.(type) {
	case *syntax.DotNode:
		return dot
	case *syntax.FieldNode:
		return w.field(dot, n.Ident)
	case *syntax.VariableNode:
		return w.field(w.variables[n.Ident[0]], n.Ident[1:])
	case *syntax.ChainNode:
		return w.field(w.operand(n.Node, dot), n.Field)
	case *syntax.PipeNode:
		return w.pipe(n, dot)
	}
	return false
}

func (w walk) field(own bool, names []string) bool {
	if own && len(names) > 0 {
		w.reads.item(names[0], w.asking)
		return false
	}
	return own
}
