package fence

import (
	"math/big"
	"reflect"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
	"github.com/dop251/goja/unistring"
)

// The names under which a script's own code calls the ledger. No source can spell them.
const (
	nameTick   = "\x00tick"   // tick(bytes): before each round of a loop and each call of a function
	nameText   = "\x00text"   // text(v): behind each + that may have joined texts
	nameFill   = "\x00fill"   // fill(a, b, …): instead of a template
	nameSpread = "\x00spread" // spread(v): around what ... copies into an object
	nameObject = "\x00object" // object(v), index(k): around a and k in a[k] = v
	nameIndex  = "\x00index"
)

// What evaluating a node once may ask for at most, in bytes, beside what natives and + account for.
// The figures are the sizes of goja's own structures, rounded up.
const (
	costObject   = 768
	costMember   = 96
	costArray    = 384
	costFunction = 768
	costClass    = 4096
	costNew      = 1024
	costCall     = 96
	costFrame    = 128
	costCatch    = 8192 // an exception keeps the whole call stack
	costRegExp   = 512
	costSparse   = 16 * 4096 // goja keeps an array dense up to here, however few members it has
)

// instrumenter rewrites a syntax tree so that every loop, every call and every joining of texts is accounted
// for. It goes through the tree by reflection: a node it does not know is still entered.
type instrumenter struct {
	cost    int // of the function or loop body being rewritten
	seen    map[any]bool
	refused string // a construct that has no account
	regexps []*ast.RegExpLiteral
}

// instrument rewrites a program and returns what its top level costs.
func instrument(program *ast.Program) (cost int, in *instrumenter) {
	in = &instrumenter{seen: map[any]bool{}}
	in.walk(reflect.ValueOf(&program.Body).Elem())
	return in.cost, in
}

// walk rewrites everything below a value.
func (in *instrumenter) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface:
		if v.IsNil() {
			return
		}
		in.walk(v.Elem())
		if e, ok := reflect.TypeAssert[ast.Expression](v); ok && v.CanSet() {
			if changed := in.expression(e); changed != e {
				v.Set(reflect.ValueOf(changed))
			}
		}
	case reflect.Pointer:
		if v.IsNil() || in.seen[v.Interface()] {
			return
		}
		in.seen[v.Interface()] = true
		in.node(v)
	case reflect.Slice:
		for i := range v.Len() {
			in.walk(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "DeclarationList" { // the same nodes once more, for hoisting
				in.walk(v.Field(i))
			}
		}
	default:
	}
}

// node enters a node: those that repeat get an account of their own.
func (in *instrumenter) node(v reflect.Value) {
	outer := in.cost
	switch n := v.Interface().(type) {
	case *ast.FunctionLiteral:
		in.cost = costFrame
		in.walk(v.Elem())
		in.refuse(n.Async, "an async function")
		in.refuse(n.Generator, "a generator")
		n.Body.List = in.tickInto(n.Body.List)
		in.cost = outer + costFunction
	case *ast.ArrowFunctionLiteral:
		in.cost = costFrame
		in.walk(v.Elem())
		in.refuse(n.Async, "an async function")
		switch body := n.Body.(type) {
		case *ast.BlockStatement:
			body.List = in.tickInto(body.List)
		case *ast.ExpressionBody:
			body.Expression = &ast.SequenceExpression{Sequence: []ast.Expression{in.tick(), body.Expression}}
		}
		in.cost = outer + costFunction
	case *ast.ForStatement:
		in.loop(v, outer, &n.Body)
	case *ast.ForInStatement:
		in.loop(v, outer, &n.Body)
	case *ast.ForOfStatement:
		in.loop(v, outer, &n.Body)
	case *ast.WhileStatement:
		in.loop(v, outer, &n.Body)
	case *ast.DoWhileStatement:
		in.loop(v, outer, &n.Body)
	case *ast.CatchStatement:
		in.cost = costCatch
		in.walk(v.Elem())
		n.Body.List = in.tickInto(n.Body.List)
		in.cost = outer
	case *ast.FieldDefinition:
		in.cost = costMember
		if _, isNumber := n.Key.(*ast.NumberLiteral); isNumber || n.Computed {
			in.cost = costSparse // of a class that extends Array
		}
		in.walk(v.Elem())
		if n.Initializer != nil {
			n.Initializer = &ast.SequenceExpression{Sequence: []ast.Expression{in.tick(), n.Initializer}}
		}
		in.cost += outer
	default:
		in.account(v.Interface())
		in.walk(v.Elem())
	}
}

// loop gives a loop's body, and what else runs once a round, an account.
func (in *instrumenter) loop(v reflect.Value, outer int, body *ast.Statement) {
	in.cost = 0
	in.walk(v.Elem())
	*body = &ast.BlockStatement{List: in.tickInto([]ast.Statement{*body})}
	in.cost += outer
}

// account adds what one evaluation of a node costs, and refuses what cannot be accounted for.
func (in *instrumenter) account(node any) {
	switch n := node.(type) {
	case *ast.ObjectLiteral:
		in.cost += costObject + costMember*len(n.Value)
	case *ast.ArrayLiteral:
		in.cost += costArray + 32*len(n.Value)
	case *ast.ClassLiteral:
		in.cost += costClass + costFunction*len(n.Body)
	case *ast.NewExpression:
		in.cost += costNew + 32*len(n.ArgumentList)
	case *ast.CallExpression:
		in.cost += costCall + 32*len(n.ArgumentList)
	case *ast.TemplateLiteral:
		if n.Tag != nil {
			in.cost += costObject + costMember*len(n.Elements)
		}
	case *ast.BracketExpression:
		in.cost += 32 // a character of a text is a text
	case *ast.RegExpLiteral:
		in.cost += costRegExp
		in.regexps = append(in.regexps, n)
	case *ast.AssignExpression:
		in.assignment(n)
	case *ast.UnaryExpression:
		if n.Operator == token.INCREMENT || n.Operator == token.DECREMENT {
			n.Operand = in.target(n.Operand)
		}
	case *ast.ObjectPattern:
		in.refuse(n.Rest != nil, "... in an object pattern")
		in.cost += costMember * len(n.Properties)
		for _, p := range n.Properties {
			if keyed, ok := p.(*ast.PropertyKeyed); ok {
				in.patternTarget(keyed.Value)
			}
		}
	case *ast.ArrayPattern:
		in.cost += costObject
		for _, e := range append([]ast.Expression{n.Rest}, n.Elements...) {
			in.patternTarget(e)
		}
	case *ast.ForIntoExpression:
		in.patternTarget(n.Expression)
	case *ast.NumberLiteral:
		_, isBig := n.Value.(*big.Int)
		in.refuse(isBig, "a BigInt")
	case *ast.YieldExpression, *ast.AwaitExpression:
		in.refuse(true, "yield or await")
	case *ast.WithStatement:
		in.refuse(true, "a with statement")
	}
}

func (in *instrumenter) assignment(n *ast.AssignExpression) {
	in.cost += costMember
	switch n.Left.(type) {
	case *ast.BracketExpression, *ast.DotExpression:
		n.Left = in.target(n.Left)
	}
}

// target accounts for a[k] on the left side: an array grows up to k.
func (in *instrumenter) target(left ast.Expression) ast.Expression {
	b, ok := left.(*ast.BracketExpression)
	if !ok {
		return left
	}
	if _, isText := b.Member.(*ast.StringLiteral); isText {
		return left
	}
	if _, isSuper := b.Left.(*ast.SuperExpression); isSuper {
		in.refuse(true, "an assignment to super[…]")
	}
	b.Left, b.Member = called(nameObject, b.Left), called(nameIndex, b.Member)
	return b
}

// patternTarget refuses a[k] as the target of a pattern, which has no account.
func (in *instrumenter) patternTarget(e ast.Expression) {
	if assign, ok := e.(*ast.AssignExpression); ok {
		e = assign.Left
	}
	_, isIndex := e.(*ast.BracketExpression)
	in.refuse(isIndex, "a pattern that assigns to […]")
}

// expression returns what an expression is replaced by.
func (in *instrumenter) expression(e ast.Expression) ast.Expression {
	switch n := e.(type) {
	case *ast.BinaryExpression:
		if n.Operator == token.PLUS {
			return called(nameText, n)
		}
	case *ast.AssignExpression:
		if n.Operator == token.PLUS {
			return called(nameText, n)
		}
	case *ast.SpreadElement:
		n.Expression = called(nameSpread, n.Expression)
	case *ast.TemplateLiteral:
		if n.Tag == nil && len(n.Expressions) > 0 {
			return fill(n)
		}
	}
	return e
}

// fill turns a template into a call.
func fill(n *ast.TemplateLiteral) ast.Expression {
	var parts []ast.Expression
	for i, fixed := range n.Elements {
		parts = append(parts, &ast.StringLiteral{Value: fixed.Parsed})
		if i < len(n.Expressions) {
			parts = append(parts, n.Expressions[i])
		}
	}
	return called(nameFill, parts...)
}

func called(name string, args ...ast.Expression) *ast.CallExpression {
	return &ast.CallExpression{Callee: &ast.Identifier{Name: unistring.String(name)}, ArgumentList: args}
}

// tick makes the call that charges what was counted so far.
func (in *instrumenter) tick() ast.Expression {
	return called(nameTick, &ast.NumberLiteral{Value: int64(in.cost)})
}

// tickInto puts the call behind the directives of a body.
func (in *instrumenter) tickInto(list []ast.Statement) []ast.Statement {
	if in.cost == 0 {
		return list
	}
	at := 0
	for at < len(list) && isDirective(list[at]) {
		at++
	}
	out := append([]ast.Statement{}, list[:at]...)
	out = append(out, &ast.ExpressionStatement{Expression: in.tick()})
	return append(out, list[at:]...)
}

func isDirective(s ast.Statement) bool {
	e, ok := s.(*ast.ExpressionStatement)
	if !ok {
		return false
	}
	_, ok = e.Expression.(*ast.StringLiteral)
	return ok
}

func (in *instrumenter) refuse(refused bool, what string) {
	if refused && in.refused == "" {
		in.refused = what
	}
}
