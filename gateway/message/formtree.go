package message

import "strconv"

// formObject is an object of a form while it is put together.
type formObject struct {
	names  []string
	values map[string]any // string, *formObject or *formList
}

func (o *formObject) set(name string, value any) {
	if o.values == nil {
		o.values = map[string]any{}
	}
	if _, known := o.values[name]; !known {
		o.names = append(o.names, name)
	}
	o.values[name] = value
}

// formList is a list of a form while it is put together. Places may stay empty; in the end they are left
// out. It takes the room of its values only, wherever they stand.
type formList struct {
	at     []int // ascending
	values []any
}

func listOf(texts []string) *formList {
	l := &formList{}
	for i, text := range texts {
		l.at, l.values = append(l.at, i), append(l.values, text)
	}
	return l
}

// end is the first place behind the last one.
func (l *formList) end() int {
	if len(l.at) == 0 {
		return 0
	}
	return l.at[len(l.at)-1] + 1
}

// set puts a value at a place.
func (l *formList) set(place int, value any) {
	i := len(l.at)
	for i > 0 && l.at[i-1] >= place {
		i--
	}
	if i < len(l.at) && l.at[i] == place {
		l.values[i] = value
		return
	}
	l.at = append(l.at, 0)
	l.values = append(l.values, nil)
	copy(l.at[i+1:], l.at[i:])
	copy(l.values[i+1:], l.values[i:])
	l.at[i], l.values[i] = place, value
}

func (l *formList) get(place int) (any, bool) {
	for i, at := range l.at {
		if at == place {
			return l.values[i], true
		}
	}
	return nil, false
}

func (l *formList) object() *formObject {
	o := &formObject{}
	for i, at := range l.at {
		o.set(strconv.Itoa(at), l.values[i])
	}
	return o
}

// mergeForm puts source into target and returns the result, which may be target, changed.
// EG: merge of qs.
func mergeForm(target, source any) any {
	text, isText := source.(string)
	switch t := target.(type) {
	case *formObject:
		if isText {
			return &formList{at: []int{0, 1}, values: []any{t, text}}
		}
		return mergeObject(t, source)
	case *formList:
		switch s := source.(type) {
		case *formList:
			return mergeLists(t, s)
		case *formObject:
			return mergeObject(t.object(), s)
		default:
			t.set(t.end(), text)
			return t
		}
	default: // a text
		out := &formList{at: []int{0}, values: []any{target}}
		if list, isList := source.(*formList); isList {
			for i, at := range list.at {
				out.set(at+1, list.values[i])
			}
			return out
		}
		out.set(1, source)
		return out
	}
}

func mergeObject(target *formObject, source any) any {
	object, isObject := source.(*formObject)
	if list, isList := source.(*formList); isList {
		object, isObject = list.object(), true
	}
	if !isObject {
		return target
	}
	for _, name := range object.names {
		value := object.values[name]
		if before, known := target.values[name]; known {
			value = mergeForm(before, value)
		}
		target.set(name, value)
	}
	return target
}

func mergeLists(target, source *formList) any {
	for i, place := range source.at {
		value := source.values[i]
		before, taken := target.get(place)
		_, beforeIsText := before.(string)
		_, isText := value.(string)
		switch {
		case !taken:
			target.set(place, value)
		case !beforeIsText && !isText:
			target.set(place, mergeForm(before, value))
		default:
			target.set(target.end(), value)
		}
	}
	return target
}

// plainForm turns the tree into what encoding/json has.
func plainForm(v any) any {
	switch v := v.(type) {
	case *formObject:
		out := make(map[string]any, len(v.names))
		for name, value := range v.values {
			out[name] = plainForm(value)
		}
		return out
	case *formList:
		out := make([]any, len(v.values))
		for i, value := range v.values {
			out[i] = plainForm(value)
		}
		return out
	default:
		return v
	}
}
