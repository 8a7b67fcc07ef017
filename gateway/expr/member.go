package expr

import (
	"maps"

	"egk8s.dev/egk8s/gateway/message"
)

// What scripts put on req and res under names of their own is kept in Exchange.Context under these names, which
// no script can use for members of egContext: they are req and res themselves.
const (
	reqMembers = "req"
	resMembers = "res"
)

// ownMembers returns what scripts put on req or res; do not change it.
func ownMembers(x *message.Exchange, object string) map[string]any {
	m, _ := x.Context[object].(map[string]any)
	return m
}

func setMember(x *message.Exchange, object, name string, value any) {
	m := maps.Clone(ownMembers(x, object))
	x.Context = with(maps.Clone(x.Context), object, with(m, name, value))
}

func deleteMember(x *message.Exchange, object, name string) {
	m := maps.Clone(ownMembers(x, object))
	delete(m, name)
	x.Context = with(maps.Clone(x.Context), object, m)
}

// setContext sets a member of egContext.
func setContext(x *message.Exchange, name string, value any) {
	x.Context = with(x.Context, name, value)
}

// setUser sets req.user; nothing and null stand for nobody.
func setUser(r *message.Request, user any) {
	claims, isObject := user.(map[string]any)
	switch {
	case !isObject:
		r.Consumer, r.Credential, r.Claims = nil, nil, nil
	case r.Consumer != nil && claims["id"] == r.Consumer.ID:
		changed := *r.Consumer
		changed.Properties = maps.Clone(claims)
		for _, name := range []string{"id", "isActive", "type", "username", "name", "userId"} {
			delete(changed.Properties, name)
		}
		r.Consumer = &changed
	default:
		r.Consumer, r.Credential, r.Claims = nil, nil, claims
	}
}
