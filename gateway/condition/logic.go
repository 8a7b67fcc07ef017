package condition

import (
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
)

// newAllOf is true when every condition is, so also without any.
func (e *Environment) newAllOf(c *config.Condition) (Condition, diag.Problems) {
	list, problems := e.nested(c)
	return Func(func(x *message.Exchange) (bool, error) {
		for _, one := range list {
			if ok, err := one.Holds(x); err != nil || !ok {
				return false, err
			}
		}
		return true, nil
	}), problems
}

// newOneOf is true when any condition is, so never without one.
func (e *Environment) newOneOf(c *config.Condition) (Condition, diag.Problems) {
	list, problems := e.nested(c)
	return Func(func(x *message.Exchange) (bool, error) {
		for _, one := range list {
			if ok, err := one.Holds(x); err != nil || ok {
				return ok, err
			}
		}
		return false, nil
	}), problems
}

func (e *Environment) newNot(c *config.Condition) (Condition, diag.Problems) {
	list, problems := e.nested(c)
	if len(list) != 1 {
		return nil, problems
	}
	return Func(func(x *message.Exchange) (bool, error) {
		ok, err := list[0].Holds(x)
		return !ok && err == nil, err
	}), problems
}

func (e *Environment) nested(c *config.Condition) ([]Condition, diag.Problems) {
	var list []Condition
	var problems diag.Problems
	for i := range c.Nested {
		one, more := New(&c.Nested[i], e)
		problems = append(problems, more...)
		if one != nil {
			list = append(list, one)
		}
	}
	return list, problems
}
